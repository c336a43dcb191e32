// One static program without a library, a few kilobytes large, for four jobs:
//
//   tiny -- COMMAND...   the first process of a container (initProcessEnabled): it runs COMMAND, hands signals on to it,
//                        reaps what is left behind, and ends as COMMAND ends.
//   tiny pause DIR       the first process of namespaces that containers of a task share: it shuts itself off in an
//                        empty root, without any right, and reaps. DIR is any directory; nothing is written there. It
//                        begins when a byte comes in on its standard input, and ends when that closes without one.
//   tiny wait            the first process of a sandbox: it does nothing but to reap, until it is killed.
//   tiny name HOSTNAME   names the machine that it runs on, which is a sandbox.
//
// build.sh makes the programs that are embedded.

typedef unsigned long u64;
typedef long i64;

#if defined(__x86_64__)
enum { READ = 0, WRITE = 1, CLOSE = 3, SIGPROCMASK = 14, IOCTL = 16, CLONE = 56, EXECVE = 59, WAIT4 = 61, KILL = 62,
       CHDIR = 80, GETPGID = 121, SETPGID = 109, SETRESUID = 117, SETRESGID = 119, SETGROUPS = 116, SIGTIMEDWAIT = 128,
       PIVOT_ROOT = 155, MOUNT = 165, UMOUNT = 166, SETHOSTNAME = 170, EXIT = 231 };
static i64 call(i64 n, i64 a, i64 b, i64 c, i64 d, i64 e) {
	register i64 r10 __asm__("r10") = d;
	register i64 r8 __asm__("r8") = e;
	i64 r;
	__asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
	return r;
}
__asm__(".globl _start\n_start: mov %rsp, %rdi\nand $-16, %rsp\ncall begin\nhlt");
#elif defined(__aarch64__)
enum { READ = 63, WRITE = 64, CLOSE = 57, SIGPROCMASK = 135, IOCTL = 29, CLONE = 220, EXECVE = 221, WAIT4 = 260, KILL = 129,
       CHDIR = 49, GETPGID = 155, SETPGID = 154, SETRESUID = 147, SETRESGID = 149, SETGROUPS = 159, SIGTIMEDWAIT = 137,
       PIVOT_ROOT = 41, MOUNT = 40, UMOUNT = 39, SETHOSTNAME = 161, EXIT = 94 };
static i64 call(i64 n, i64 a, i64 b, i64 c, i64 d, i64 e) {
	register i64 x8 __asm__("x8") = n;
	register i64 x0 __asm__("x0") = a;
	register i64 x1 __asm__("x1") = b;
	register i64 x2 __asm__("x2") = c;
	register i64 x3 __asm__("x3") = d;
	register i64 x4 __asm__("x4") = e;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
	return x0;
}
__asm__(".globl _start\n_start: mov x0, sp\nbl begin");
#endif

enum { SIGHUP = 1, SIGCHLD = 17, SIG_SETMASK = 2, WNOHANG = 1, TIOCSPGRP = 0x5410, ENOENT = 2, EINTR = 4 };
enum { CLOSE_RANGE = 436, MS_REC = 1 << 14, MS_PRIVATE = 1 << 18, MNT_DETACH = 2, NOBODY = 65534 };

static u64 length(const char *s) { u64 n = 0; while (s[n]) n++; return n; }
static int same(const char *a, const char *b) { while (*a && *a == *b) a++, b++; return *a == *b; }
static void say(const char *s) { call(WRITE, 2, (i64)s, length(s), 0, 0); }
static void leave(int code) { for (;;) call(EXIT, code, 0, 0, 0, 0); }

// Signals of the program itself: a fault of ours must not be waited for, and a stop of the terminal not either.
static const u64 faults = 1ul << 3 | 1ul << 4 | 1ul << 5 | 1ul << 6 | 1ul << 7 | 1ul << 10 | 1ul << 30 | 1ul << 20 | 1ul << 21;

static void run(char **argv, char **envp) {
	const char *path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char full[4096];
	i64 err = ENOENT, at;
	for (char **e = envp; *e; e++)
		if ((*e)[0] == 'P' && (*e)[1] == 'A' && (*e)[2] == 'T' && (*e)[3] == 'H' && (*e)[4] == '=') path = *e + 5;
	for (char *s = argv[0]; *s; s++)
		if (*s == '/') {
			err = -call(EXECVE, (i64)argv[0], (i64)argv, (i64)envp, 0, 0);
			goto failed;
		}
	for (const char *p = path; argv[0][0]; p++) {
		u64 n = length(argv[0]);
		for (at = 0; *p && *p != ':'; p++)
			if (at < 2048) full[at++] = *p;
		if (at && n < 2000) {
			full[at++] = '/';
			for (u64 i = 0; i <= n; i++) full[at + i] = argv[0][i];
			i64 r = -call(EXECVE, (i64)full, (i64)argv, (i64)envp, 0, 0);
			if (r != ENOENT) err = r;
		}
		if (!*p) break;
	}
failed:
	say("init: cannot run ");
	say(argv[0]);
	say(err == ENOENT ? ": No such file or directory\n" : ": it cannot be executed\n");
	leave(err == ENOENT ? 127 : 126);
}

// reap takes every ended process away. It answers the wait status of child once that is among them, else -1.
static int reap(i64 child) {
	int status, found = -1;
	i64 pid;
	while ((pid = call(WAIT4, -1, (i64)&status, WNOHANG, 0, 0)) > 0)
		if (pid == child) found = status;
	return found;
}

static void init(char **argv, char **envp) {
	u64 all = ~faults, before = 0;
	call(SIGPROCMASK, SIG_SETMASK, (i64)&all, (i64)&before, 8, 0);
	i64 child = call(CLONE, SIGCHLD, 0, 0, 0, 0);
	if (child < 0) {
		say("init: cannot fork\n");
		leave(126);
	}
	if (child == 0) {
		int group;
		u64 quiet = ~0ul; // who takes a terminal from the background is stopped, unless the signal is blocked
		call(SIGPROCMASK, SIG_SETMASK, (i64)&quiet, 0, 8, 0);
		call(SETPGID, 0, 0, 0, 0, 0);
		group = call(GETPGID, 0, 0, 0, 0, 0);
		call(IOCTL, 0, TIOCSPGRP, (i64)&group, 0, 0); // fails where there is no terminal
		call(SIGPROCMASK, SIG_SETMASK, (i64)&before, 0, 8, 0);
		run(argv, envp);
	}
	for (;;) {
		i64 sig = call(SIGTIMEDWAIT, (i64)&all, 0, 0, 8, 0);
		if (sig > 0 && sig != SIGCHLD) call(KILL, child, sig, 0, 0, 0);
		int status = reap(child);
		if (status != -1) leave(status & 0x7f ? 128 + (status & 0x7f) : status >> 8 & 0xff);
	}
}

static void stay(void) {
	u64 all = ~0ul;
	call(SIGPROCMASK, SIG_SETMASK, (i64)&all, 0, 8, 0);
	for (;;) {
		call(SIGTIMEDWAIT, (i64)&all, 0, 0, 8, 0);
		reap(0);
	}
}

static void pause_here(char *dir) {
	char byte = 0;
	u64 all = ~0ul;
	while (call(READ, 0, (i64)&byte, 1, 0, 0) == -EINTR) {
	}
	if (byte == 0) leave(1); // who started it is gone, and knows nothing of it
	i64 failed = call(MOUNT, (i64) "none", (i64) "/", 0, MS_REC | MS_PRIVATE, 0);
	failed |= call(MOUNT, (i64) "tmpfs", (i64)dir, (i64) "tmpfs", 1 /* read-only */, 0);
	failed |= call(CHDIR, (i64)dir, 0, 0, 0, 0);
	failed |= call(PIVOT_ROOT, (i64) ".", (i64) ".", 0, 0, 0);
	failed |= call(UMOUNT, (i64) ".", MNT_DETACH, 0, 0, 0);
	failed |= call(CHDIR, (i64) "/", 0, 0, 0, 0);
	failed |= call(SETGROUPS, 0, 0, 0, 0, 0);
	failed |= call(SETRESGID, NOBODY, NOBODY, NOBODY, 0, 0);
	failed |= call(SETRESUID, NOBODY, NOBODY, NOBODY, 0, 0);
	if (failed) leave(2);
	call(SIGPROCMASK, SIG_SETMASK, (i64)&all, 0, 8, 0);
	call(WRITE, 1, (i64) "+", 1, 0, 0);
	// Also what whoever started it had from others: a lock, a socket.
	if (call(CLOSE_RANGE, 0, ~0u, 0, 0, 0))
		for (int fd = 0; fd < 1024; fd++) call(CLOSE, fd, 0, 0, 0, 0);
	stay();
}

__attribute__((used)) void begin(u64 *stack) {
	u64 argc = stack[0];
	char **argv = (char **)(stack + 1), **envp = argv + argc + 1;
	if (argc > 2 && same(argv[1], "--")) init(argv + 2, envp);
	if (argc == 3 && same(argv[1], "pause")) pause_here(argv[2]);
	if (argc == 2 && same(argv[1], "wait")) stay();
	if (argc == 3 && same(argv[1], "name")) leave(call(SETHOSTNAME, (i64)argv[2], length(argv[2]), 0, 0, 0) != 0);
	say("usage: tiny -- COMMAND... | tiny pause DIR | tiny wait | tiny name HOSTNAME\n");
	leave(2);
}
