//! Words by which training programs call the parts of a checkpoint.

/// Dictionaries that hold a model's weights as they are, the surest first.
pub(crate) const RAW: [&str; 13] = [
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "module",
    "net",
    "network",
    "network_weights",
    "net_state_dict",
    "model_weights",
    "weights",
    "params",
    "state",
];

/// Dictionaries that hold averages of a model's weights over the steps of training.
pub(crate) const AVERAGED: [&str; 15] = [
    "state_dict_ema",
    "model_ema",
    "ema_state_dict",
    "model_ema_state_dict",
    "model_state_dict_ema",
    "ema_model",
    "ema",
    "ema_module",
    "ema_net",
    "net_ema",
    "params_ema",
    "averaged_model",
    "swa_model",
    "swa_state_dict",
    "shadow_params",
];

/// Dictionaries that hold the state of training and no model.
pub(crate) const TRAINING: [&str; 24] = [
    "optimizer",
    "optimizers",
    "optimizer_state",
    "optimizer_states",
    "optimizer_state_dict",
    "optim",
    "opt",
    "opt_state",
    "lr_scheduler",
    "lr_schedulers",
    "scheduler",
    "scaler",
    "amp",
    "callbacks",
    "loops",
    "hyper_parameters",
    "hparams",
    "args",
    "config",
    "cfg",
    "meta",
    "message_hub",
    "rng_state",
    "loss_fn",
];

/// Attributes under which a module keeps the model it wraps: the first parts of the names of its tensors.
pub(crate) const WRAPPERS: [&str; 14] = [
    "module",
    "model",
    "_model",
    "net",
    "_net",
    "network",
    "backbone",
    "encoder",
    "trunk",
    "base_model",
    "base",
    "body",
    "feature_extractor",
    "clf",
];

/// Parts of names that `PyTorch` puts in for wrappers of its own, wherever in a name they stand.
pub(crate) const INSERTED: [&str; 3] = ["_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"];
