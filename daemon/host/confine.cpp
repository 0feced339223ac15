#include "daemon/host/confine.hpp"

#include <linux/bpf.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace fwd::host {
namespace {

constexpr int kept[] = {CAP_NET_ADMIN, CAP_BPF, CAP_NET_BIND_SERVICE, CAP_KILL, CAP_DAC_OVERRIDE, CAP_CHOWN, CAP_FOWNER};

result<void> drop_capabilities()
{
    std::uint32_t mask[2] = {};
    for (const int one : kept) mask[one / 32] |= 1u << one % 32;
    __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct now[2]{};
    if (::syscall(SYS_capget, &head, now) != 0) return errno_error("read capabilities");
    for (int half = 0; half < 2; ++half) {
        now[half].effective = now[half].permitted &= mask[half];
        now[half].inheritable = 0;
    }
    if (::syscall(SYS_capset, &head, now) != 0) return errno_error("drop capabilities");
    return {};
}

constexpr int allowed[] = {
    SCMP_SYS(read),          SCMP_SYS(write),          SCMP_SYS(writev),
    SCMP_SYS(pread64),       SCMP_SYS(pwrite64),       SCMP_SYS(lseek),
    SCMP_SYS(ftruncate),     SCMP_SYS(fsync),          SCMP_SYS(open),
    SCMP_SYS(openat),        SCMP_SYS(close),          SCMP_SYS(stat),
    SCMP_SYS(lstat),         SCMP_SYS(fstat),          SCMP_SYS(newfstatat),
    SCMP_SYS(statx),         SCMP_SYS(readlink),       SCMP_SYS(readlinkat),
    SCMP_SYS(unlink),        SCMP_SYS(unlinkat),       SCMP_SYS(rename),
    SCMP_SYS(renameat),      SCMP_SYS(renameat2),      SCMP_SYS(rmdir),
    SCMP_SYS(fchown),        SCMP_SYS(fchmod),         SCMP_SYS(flistxattr),
    SCMP_SYS(fgetxattr),     SCMP_SYS(fsetxattr),      SCMP_SYS(flock),
    SCMP_SYS(fcntl),         SCMP_SYS(getcwd),         SCMP_SYS(inotify_add_watch),
    SCMP_SYS(sendmsg),       SCMP_SYS(recvmsg),        SCMP_SYS(sendto),
    SCMP_SYS(recvfrom),      SCMP_SYS(bind),           SCMP_SYS(listen),
    SCMP_SYS(setsockopt),    SCMP_SYS(getsockopt),     SCMP_SYS(getsockname),
    SCMP_SYS(poll),          SCMP_SYS(ppoll),          SCMP_SYS(wait4),
    SCMP_SYS(clock_gettime), SCMP_SYS(nanosleep),      SCMP_SYS(clock_nanosleep),
    SCMP_SYS(brk),           SCMP_SYS(munmap),         SCMP_SYS(mremap),
    SCMP_SYS(madvise),       SCMP_SYS(futex),          SCMP_SYS(getrandom),
    SCMP_SYS(rt_sigreturn),  SCMP_SYS(rt_sigprocmask), SCMP_SYS(restart_syscall),
    SCMP_SYS(exit),          SCMP_SYS(exit_group),
};

} // namespace

result<void> confine(pid_t engine)
{
    if (const auto dropped = drop_capabilities(); !dropped) return dropped;
    if (::prctl(PR_SET_DUMPABLE, 0) != 0 || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno_error("set NO_NEW_PRIVS");
    const auto filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!filter) return error{errc::internal_error, "make a seccomp filter"};
    int failed = 0;
    const auto allow = [&](int call, auto... arguments) {
        if (failed == 0) failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, sizeof...(arguments), arguments...);
    };
    for (const int call : allowed) allow(call);
#ifdef __SANITIZE_ADDRESS__
    for (const int call : {SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(sigaltstack)}) allow(call); // the sanitizers look at memory so
#endif
    allow(SCMP_SYS(kill), SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(engine)));
    for (const auto what : {BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM}) allow(SCMP_SYS(bpf), SCMP_A0(SCMP_CMP_EQ, what));
    for (const int family : {AF_INET, AF_NETLINK}) allow(SCMP_SYS(socket), SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(family)));
    for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) allow(call, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (failed == 0) failed = seccomp_load(filter);
    seccomp_release(filter);
    if (failed != 0) return error{error_code{-failed, boost::system::system_category()}, "load a seccomp filter"};
    return {};
}

} // namespace fwd::host
