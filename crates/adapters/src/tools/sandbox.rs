//! Takes rights away from the process that calls it, before it becomes a tool server: what it may read and
//! write, the network, the rest of the machine's calls, memory, processor time, files and processes. A process
//! that reads a stranger's document gives up more: all but thinking, and the pipes that it has.
//!
//! Owns      nothing: a started process gives up rights once, and never gets them back.
//! Promises  only paths that a policy names, and those that any program needs, can be opened; without
//!           the network no socket can be made; nothing gains rights by `exec`.
//!
//! Invariants: SANDBOX-1 with a policy that requires it, nothing runs where the kernel cannot confine
//! it. SANDBOX-2 what any program may read holds no settings, keys or data of the hall. SANDBOX-3 from a
//! cell nothing can be opened, started or reached.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible as _, LandlockStatus, PathBeneath, PathFd,
    Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetStatus, Scope,
    path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, Signal};
use rustix::thread::UnshareFlags;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};
use serde::{Deserialize, Serialize};

/// What any program needs to start: programs, libraries, and the few files of `/etc` that they look at.
const READABLE: [&str; 30] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/ca-certificates.conf",
    "/etc/gai.conf",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/pki",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl",
    "/etc/timezone",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/self",
    "/proc/stat",
];
/// Devices that are no devices.
const DEVICES: [&str; 5] = ["/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"];
/// The newest set of rights that was looked at; an older kernel keeps those that it knows.
const NEWEST: ABI = ABI::V7;
/// What a call that is not allowed answers: no permission.
const EACCES: u32 = 13;
/// The calls of a process that thinks: memory, pipes that are open, time, and its end.
const THINKING: [i64; 33] = [
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_fcntl,
    libc::SYS_fstat,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_sigaltstack,
    libc::SYS_tgkill,
    libc::SYS_write,
    libc::SYS_writev,
];

/// What a program may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// What it may read and run, besides what any program needs.
    pub read: Vec<PathBuf>,
    /// What it may change.
    pub write: Vec<PathBuf>,
    /// Its own folder, which it may change and where it starts.
    pub work: PathBuf,
    /// It may use the network.
    pub network: bool,
    /// The most memory of its own, for each of its processes.
    pub memory_bytes_max: u64,
    /// The longest file that it may write.
    pub file_bytes_max: u64,
    /// The most processor time, for each of its processes.
    pub cpu_time_max: Duration,
    /// The most files that are open at the same time.
    pub files_max: u64,
    /// The most processes and threads; kept only in a user namespace, where they are counted apart.
    pub processes_max: u64,
    /// Rather nothing than a program that is not confined.
    pub required: bool,
}

/// What holds of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Files are closed to it but for those of its policy.
    pub files: bool,
    /// It cannot signal processes outside.
    pub signals: bool,
    /// Calls that it needs not are refused, and those for the network where it has none.
    pub calls: bool,
    /// It is in user and network namespaces of its own.
    pub namespaces: bool,
    /// How old the kernel's rules for files are.
    pub landlock: String,
}

impl Standing {
    /// Whether it is confined: the rest makes it better.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.files && self.calls
    }

    /// In a few words.
    #[must_use]
    pub fn words(&self) -> String {
        let yes = |it: bool| if it { "yes" } else { "no" };
        format!(
            "files closed: {} (Landlock {}); calls and network closed: {}; signals closed: {}; \
             namespaces of its own: {}",
            yes(self.files),
            self.landlock,
            yes(self.calls),
            yes(self.signals),
            yes(self.namespaces)
        )
    }
}

/// Why a program was not confined.
#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    /// A path of the policy is not there.
    #[error("{} cannot be opened", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: landlock::PathFdError,
    },
    /// The kernel refused the rules for files.
    #[error("the rules for files cannot be set")]
    Files(#[source] landlock::RulesetError),
    /// The kernel refused the rules for calls.
    #[error("the rules for calls cannot be set")]
    Calls(#[source] seccompiler::Error),
    /// A limit cannot be set.
    #[error("a limit cannot be set")]
    Limit(#[source] rustix::io::Errno),
    /// The kernel cannot do it, and the policy requires it.
    #[error("this machine cannot confine programs: {0}")]
    NotConfined(String),
}

/// Confines this process, which must have one thread, for good.
///
/// # Errors
/// If something that must hold cannot be had. The process must then end.
pub fn enter(policy: &Policy) -> Result<Standing, EnterError> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(EnterError::Limit)?;
    limit(policy)?;
    let namespaces =
        leave_namespaces(policy.network) && set(Resource::Nproc, policy.processes_max).is_ok();
    rustix::thread::set_no_new_privs(true).map_err(EnterError::Limit)?;
    let (files, signals, landlock) = close_files(policy)?;
    let calls = match close_calls(policy.network) {
        Ok(()) => true,
        Err(error) if policy.required => return Err(EnterError::Calls(error)),
        Err(_not_here) => false,
    };
    let standing = Standing { files, signals, calls, namespaces, landlock };
    if policy.required && !standing.holds() {
        // SANDBOX-1: rather nothing than a program that is not confined.
        return Err(EnterError::NotConfined(standing.words()));
    }
    Ok(standing)
}

/// What a process may use that does nothing but think: it reads from a pipe and writes to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The most memory of its own.
    pub memory_bytes_max: u64,
    /// The most processor time.
    pub cpu_time_max: Duration,
}

/// Confines this process, which must have one thread, to a cell, for good: it can open no file, start no
/// program and no thread, and reach no network.
///
/// # Errors
/// If that cannot be had. The process must then end.
pub fn enter_cell(cell: Cell) -> Result<Standing, EnterError> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(EnterError::Limit)?;
    let limits = [
        (Resource::Core, 0),
        (Resource::Data, cell.memory_bytes_max),
        (Resource::Fsize, 0),
        (Resource::Cpu, cell.cpu_time_max.as_secs().max(1)),
    ];
    limits.into_iter().try_for_each(|(resource, most)| set(resource, most))?;
    let namespaces = leave_namespaces(false);
    rustix::thread::set_no_new_privs(true).map_err(EnterError::Limit)?;
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))
        .and_then(|it| it.scope(Scope::from_all(NEWEST)))
        .and_then(Ruleset::create)
        .map_err(EnterError::Files)?;
    let (files, signals, landlock) = restrict(rules)?;
    // SANDBOX-3: without it nothing is read, whatever the rules for files are worth here.
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(in_calls)?;
    let rules = THINKING.into_iter().map(|it| (it, Vec::new())).collect();
    let refuse = SeccompAction::Errno(EACCES);
    let filter = SeccompFilter::new(rules, refuse, SeccompAction::Allow, arch).map_err(in_calls)?;
    let program = BpfProgram::try_from(filter).map_err(in_calls)?;
    seccompiler::apply_filter(&program).map_err(EnterError::Calls)?;
    Ok(Standing { files, signals, calls: true, namespaces, landlock })
}

fn in_calls(error: seccompiler::BackendError) -> EnterError {
    EnterError::Calls(error.into())
}

fn limit(policy: &Policy) -> Result<(), EnterError> {
    let limits = [
        (Resource::Core, 0),
        // Not the address space: programs with garbage collectors reserve far more than they use.
        (Resource::Data, policy.memory_bytes_max),
        (Resource::Fsize, policy.file_bytes_max),
        (Resource::Cpu, policy.cpu_time_max.as_secs().max(1)),
        (Resource::Nofile, policy.files_max),
    ];
    limits.into_iter().try_for_each(|(resource, most)| set(resource, most))
}

/// Sets a limit, or leaves the lower one that is there.
fn set(resource: Resource, most: u64) -> Result<(), EnterError> {
    let now = rustix::process::getrlimit(resource);
    let most = now.maximum.map_or(most, |it| it.min(most));
    let limit = Rlimit { current: Some(most), maximum: Some(most) };
    rustix::process::setrlimit(resource, limit).map_err(EnterError::Limit)
}

/// Goes into namespaces of its own, where that is allowed: no rights over the machine, no network.
/// Elsewhere a limit of processes would count those of everybody with the same id.
#[expect(deprecated, reason = "what is unsafe about it concerns shared files, which stay shared")]
fn leave_namespaces(network: bool) -> bool {
    let mut flags = UnshareFlags::NEWUSER | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS;
    if !network {
        flags |= UnshareFlags::NEWNET;
    }
    rustix::thread::unshare(flags).is_ok()
}

/// Closes all files but those of the policy. Whether that holds, whether signals are closed, and
/// the version of the kernel's rules.
fn close_files(policy: &Policy) -> Result<(bool, bool, String), EnterError> {
    let (all, read) = (AccessFs::from_all(NEWEST), AccessFs::from_read(NEWEST));
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)
        .and_then(|it| it.scope(Scope::from_all(NEWEST)))
        .and_then(Ruleset::create)
        .map_err(EnterError::Files)?;
    let devices = AccessFs::ReadFile | AccessFs::WriteFile;
    // What is missing of these is not needed.
    let mut rules = rules
        .add_rules(path_beneath_rules(READABLE, read))
        .and_then(|it| it.add_rules(path_beneath_rules(DEVICES, devices)))
        .map_err(EnterError::Files)?;
    let own = std::iter::once(&policy.work).chain(&policy.write);
    for (path, access) in own.map(|it| (it, all)).chain(policy.read.iter().map(|it| (it, read))) {
        let unreadable = |source| EnterError::Path { path: path.clone(), source };
        let opened = PathFd::new(path).map_err(unreadable)?;
        let access = if path.is_dir() { access } else { access & AccessFs::from_file(NEWEST) };
        rules = rules.add_rule(PathBeneath::new(opened, access)).map_err(EnterError::Files)?;
    }
    restrict(rules)
}

/// Puts the rules for files in force.
fn restrict(rules: RulesetCreated) -> Result<(bool, bool, String), EnterError> {
    let status = rules.restrict_self().map_err(EnterError::Files)?;
    let holds = status.ruleset != RulesetStatus::NotEnforced && status.no_new_privs;
    let (signals, version) = match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => {
            (holds && ABI::V6 <= effective_abi, format!("{effective_abi:?}"))
        }
        LandlockStatus::NotEnabled => (false, "is switched off".to_owned()),
        LandlockStatus::NotImplemented => (false, "is not in this kernel".to_owned()),
    };
    Ok((holds, signals, version))
}

/// Refuses calls that look into other processes, change the kernel or open the network.
fn close_calls(network: bool) -> Result<(), seccompiler::Error> {
    let always = [
        libc::SYS_add_key,
        libc::SYS_bpf,
        libc::SYS_io_uring_setup,
        libc::SYS_keyctl,
        libc::SYS_mount,
        libc::SYS_open_by_handle_at,
        libc::SYS_perf_event_open,
        libc::SYS_pivot_root,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_ptrace,
        libc::SYS_request_key,
        libc::SYS_setns,
        libc::SYS_umount2,
        libc::SYS_unshare,
        libc::SYS_userfaultfd,
    ];
    let sockets = [libc::SYS_socket].into_iter().filter(|_| !network);
    let mut rules = BTreeMap::new();
    for call in always.into_iter().chain(sockets) {
        rules.insert(call, Vec::new());
        // The same call by the numbers of the x32 ABI.
        #[cfg(target_arch = "x86_64")]
        rules.insert(call | 0x4000_0000, Vec::new());
    }
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let refuse = SeccompAction::Errno(EACCES);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch)?;
    let program = BpfProgram::try_from(filter)?;
    seccompiler::apply_filter(&program)
}

/// A path that a program could open with this policy, although it holds one of `secret`.
#[must_use]
pub fn opens<'s>(policy: &Policy, secret: &'s [PathBuf]) -> Option<&'s Path> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_missing| path.to_owned());
    let open: Vec<PathBuf> = READABLE
        .iter()
        .map(Path::new)
        .chain(policy.read.iter().map(PathBuf::as_path))
        .chain(policy.write.iter().map(PathBuf::as_path))
        .map(real)
        .collect();
    let is_open = |it: &&PathBuf| open.iter().any(|open| real(it).starts_with(open));
    secret.iter().find(is_open).map(PathBuf::as_path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(read: &[&Path]) -> Policy {
        Policy {
            read: read.iter().map(|it| (*it).to_owned()).collect(),
            write: Vec::new(),
            work: std::env::temp_dir(),
            network: false,
            memory_bytes_max: 1 << 30,
            file_bytes_max: 1 << 20,
            cpu_time_max: Duration::from_secs(5),
            files_max: 64,
            processes_max: 16,
            required: true,
        }
    }

    #[test]
    fn sandbox_2_what_any_program_may_read_holds_no_settings_or_keys() {
        let usual = ["/etc/guildhall/guildhall.toml", "/var/lib/guildhall/data", "/srv/secrets"];
        let usual = usual.map(PathBuf::from);
        assert_eq!(opens(&policy(&[]), &usual), None);
        assert!(opens(&policy(&[]), &["/usr/share/guildhall/data".into()]).is_some());
        assert!(opens(&policy(&[Path::new("/var")]), &usual).is_some());
    }

    #[test]
    fn sandbox_3_from_a_cell_nothing_can_be_opened_started_or_reached() {
        let ourselves = std::env::current_exe().unwrap();
        let only = ["--exact", "tools::sandbox::tests::in_a_cell", "--ignored", "--nocapture"];
        let ended = std::process::Command::new(ourselves).args(only).output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    }

    #[test]
    #[ignore = "gives up its process's rights: the test above runs it in a process of its own"]
    fn in_a_cell() {
        let cell = Cell { memory_bytes_max: 1 << 30, cpu_time_max: Duration::from_secs(9) };
        let path = std::env::temp_dir().join("from-a-cell");
        let standing = enter_cell(cell).unwrap();
        let done = [
            std::fs::File::open("/etc/passwd").is_ok(),
            std::fs::File::open("/proc/self/status").is_ok(),
            std::fs::write(path, "x").is_ok(),
            std::fs::read_dir("/").is_ok(),
            std::net::UdpSocket::bind("127.0.0.1:0").is_ok(),
            std::os::unix::net::UnixStream::pair().is_ok(),
            std::process::Command::new("/bin/true").status().is_ok(),
            std::thread::Builder::new().spawn(|| ()).is_ok(),
        ];
        let thinks = "tea".repeat(9).len() == 27;
        let is_closed = standing.holds() && done == [false; 8] && thinks;
        std::process::exit(i32::from(!is_closed));
    }

    #[test]
    fn a_link_to_the_data_is_seen_through() {
        let folder = tempfile::tempdir().unwrap();
        let (data, link) = (folder.path().join("data"), folder.path().join("link"));
        std::fs::create_dir(&data).unwrap();
        std::os::unix::fs::symlink(&data, &link).unwrap();
        assert!(opens(&policy(&[&link]), std::slice::from_ref(&data)).is_some());
        assert!(opens(&policy(&[&folder.path().join("other")]), &[data]).is_none());
    }

    #[test]
    fn a_policy_comes_through_the_command_line_unchanged() {
        let policy = policy(&[Path::new("/srv/a b")]);
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy);
    }
}
