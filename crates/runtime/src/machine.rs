//! The machine: processor, memory, devices.

use std::env;
use std::fs;
use std::process::Command;
use std::thread;

use serde::Serialize;

/// What of the machine decides how fast models run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// Name the processor gives itself, where the system tells it.
    pub cpu: Option<String>,
    /// Of the instruction sets engines use, those this processor has.
    pub cpu_features: Vec<&'static str>,
    /// Hardware threads this process may use.
    pub cores: usize,
    /// Main memory, where the system tells it.
    pub memory_total_bytes: Option<u64>,
    /// What of it programs can still have.
    pub memory_available_bytes: Option<u64>,
    /// NVIDIA devices with memory and driver, as `nvidia-smi` lists them, or their device files.
    pub cuda_devices: Vec<String>,
}

impl Machine {
    /// This one, as far as the system tells. It may run `nvidia-smi`.
    pub fn this() -> Self {
        Self {
            cpu: cpu(),
            cpu_features: cpu_features(),
            cores: thread::available_parallelism().map_or(1, usize::from),
            memory_total_bytes: kibibytes("/proc/meminfo", "MemTotal:"),
            memory_available_bytes: kibibytes("/proc/meminfo", "MemAvailable:"),
            cuda_devices: cuda_devices(),
        }
    }
}

impl Machine {
    /// Its memory, as `15.6 GiB, 9.0 GiB available`; none where the system does not tell it.
    pub fn describe_memory(&self) -> Option<String> {
        let gibibytes = |bytes: Option<u64>| Some(bytes? as f64 / f64::from(1 << 30));
        let (total, free) = (gibibytes(self.memory_total_bytes)?, gibibytes(self.memory_available_bytes)?);
        Some(format!("{total:.1} GiB, {free:.1} GiB available"))
    }
}

/// The number of bytes behind `key` in a file of Linux that counts in kB.
fn kibibytes(file: &str, key: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(key))?;
    value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

/// The most memory that this process has had so far, in bytes, where the system tells it.
pub fn peak_memory_bytes() -> Option<u64> {
    kibibytes("/proc/self/status", "VmHWM:")
}

fn cpu() -> Option<String> {
    if let Ok(text) = fs::read_to_string("/proc/cpuinfo") {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        return line.split_once(':').map(|(_, name)| name.trim().to_owned());
    }
    output("sysctl", &["-n", "machdep.cpu.brand_string"])
}

#[cfg(target_arch = "x86_64")]
fn cpu_features() -> Vec<&'static str> {
    let known = [
        ("sse4.2", is_x86_feature_detected!("sse4.2")),
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("f16c", is_x86_feature_detected!("f16c")),
        ("avx_vnni", is_x86_feature_detected!("avxvnni")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512_vnni", is_x86_feature_detected!("avx512vnni")),
        ("avx512_bf16", is_x86_feature_detected!("avx512bf16")),
        ("amx_tile", fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| text.contains(" amx_tile"))),
    ];
    known.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect()
}

#[cfg(target_arch = "aarch64")]
fn cpu_features() -> Vec<&'static str> {
    use std::arch::is_aarch64_feature_detected;
    let known = [
        ("neon", is_aarch64_feature_detected!("neon")),
        ("fp16", is_aarch64_feature_detected!("fp16")),
        ("dotprod", is_aarch64_feature_detected!("dotprod")),
        ("i8mm", is_aarch64_feature_detected!("i8mm")),
        ("bf16", is_aarch64_feature_detected!("bf16")),
        ("sve", is_aarch64_feature_detected!("sve")),
    ];
    known.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect()
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn cpu_features() -> Vec<&'static str> {
    Vec::new()
}

fn cuda_devices() -> Vec<String> {
    let query = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"];
    if let Some(listed) = output("nvidia-smi", &query) {
        return listed.lines().map(str::to_owned).collect();
    }
    let entries = fs::read_dir("/dev").into_iter().flatten().filter_map(Result::ok);
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let is_device = |name: &String| {
        let number = name.strip_prefix("nvidia").unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut found: Vec<String> = names.filter(is_device).map(|name| format!("/dev/{name}")).collect();
    found.sort();
    found
}

/// What a program prints, when there is one and it succeeds.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    // Never from the current directory, which an empty or relative entry stands for.
    let directories = env::var_os("PATH")?;
    let mut places = env::split_paths(&directories).filter(|directory| directory.is_absolute());
    let program = places.find_map(|directory| {
        let file = directory.join(program).with_extension(env::consts::EXE_EXTENSION);
        file.is_file().then_some(file)
    })?;
    let output =
        Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
