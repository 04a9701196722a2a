//! Running means of a parameter's gradient and of its square, where the parameter is.

use candle_core::{Device, Result, Tensor, Var};

use super::kernel::{self, HostMoments};
use super::portable::{self, DeviceMoments};
use super::rates::Rates;

pub(super) enum Moments {
    Host(HostMoments),
    Device(DeviceMoments),
}

impl Moments {
    /// Those of a parameter that has not moved.
    pub(super) fn zeros(parameter: &Var) -> Result<Self> {
        let zeros = parameter.zeros_like()?;
        Self::new(parameter, &zeros, &zeros)
    }

    /// Given ones, of as many values as `parameter` and on any device.
    pub(super) fn new(parameter: &Var, first: &Tensor, second: &Tensor) -> Result<Self> {
        Ok(match parameter.device() {
            Device::Cpu => {
                let values = |moment: &Tensor| moment.flatten_all()?.to_vec1();
                Self::Host(HostMoments { first: values(first)?, second: values(second)? })
            }
            device => {
                let there = |moment: &Tensor| moment.to_device(device)?.reshape(parameter.shape());
                Self::Device(DeviceMoments { first: there(first)?, second: there(second)? })
            }
        })
    }

    /// Moves the parameter and its moments.
    pub(super) fn update(&mut self, parameter: &Var, gradient: &Tensor, rates: &Rates) -> Result<()> {
        match self {
            Self::Host(moments) => kernel::update(parameter, gradient, moments, rates),
            Self::Device(moments) => portable::update(parameter, gradient, moments, rates),
        }
    }

    /// Both, in the shape of `parameter`.
    pub(super) fn tensors(&self, parameter: &Var) -> Result<[Tensor; 2]> {
        match self {
            Self::Host(HostMoments { first, second }) => {
                let tensor = |values: &[f32]| Tensor::from_slice(values, parameter.dims(), &Device::Cpu);
                Ok([tensor(first)?, tensor(second)?])
            }
            Self::Device(DeviceMoments { first, second }) => Ok([first.clone(), second.clone()]),
        }
    }
}
