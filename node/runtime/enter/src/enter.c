/*
 * berth-enter runs health checks in containers: it enters a container's namespaces and cgroups, takes on the rights of the
 * container's first process, and executes a command. One of it runs for a node, is small, and forks for each check; that
 * costs a tenth of what a new runc costs.
 *
 * What is guaranteed:
 *   - A check has the container's user, groups, capabilities, limits, no_new_privs and seccomp filter before its first
 *     instruction; when one of them cannot be had, nothing is executed.
 *   - It ignores and blocks no signal, whatever the node does: one that was begun by nohup ignores SIGHUP.
 *   - Nobody in the container ever sees a process that has more, or has anything open that is not the command's: what takes
 *     all of that on is outside of the container's process namespace, and only then makes the check in it. A container may
 *     have the right to trace, and no process would be safe from it.
 *   - The program itself runs from sealed memory: /proc/PID/exe leads to nothing that could be written.
 *   - A check that takes too long, or that nobody waits for any more, is killed with everything it started.
 *
 * A request is one message on the socket at descriptor 3: descriptors, the first of which holds the request's text.
 * The answer, on a pipe of the request's own, is { kind, number }: see answer(). The command reads from FD_IN.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SOCKET = 3, MAGIC = 0x62657231, MAX_FDS = 64, MAX_TEXT = 16 << 20, FD_ALL = 8 };

/* The places of a request's descriptors; cgroups come after the namespaces. */
enum { FD_TEXT, FD_OUT, FD_RESULT, FD_IN, FD_KILL, FD_PIDNS, FD_NS };

/* What an answer tells. */
enum { EXITED, SIGNALLED, TIMED_OUT, FAILED };

/* Where a failure was: the client has words for each. */
enum { AT_REQUEST, AT_FORK, AT_CGROUP, AT_NAMESPACE, AT_LIMIT, AT_USER, AT_CAPABILITY, AT_DIRECTORY, AT_SECCOMP, AT_EXEC };

struct head {
	uint32_t magic, args, env, groups, limits, filters, namespaces, cgroups;
	uint32_t uid, gid, umask, no_new_privs, timeout_ms, kill_by_write;
	int32_t oom_score;
	uint32_t pad;
	uint64_t capabilities;
};

struct limit { uint32_t resource, pad; uint64_t soft, hard; };

struct request {
	struct head *head;
	gid_t *groups;
	struct limit *limits;
	struct sock_filter *filters;
	char *cwd, **args, **env;
	int fd[MAX_FDS];
	int fds;
};

static void answer(int fd, int32_t kind, int32_t number, int32_t place) {
	int32_t a[3] = { kind, number, place };
	if (write(fd, a, sizeof a) < 0) { /* nobody waits */ }
}

/* take cuts n bytes off the text. */
static void *take(char **at, char *end, size_t n) {
	if ((size_t)(end - *at) < n) return NULL;
	void *p = *at;
	*at += n;
	return p;
}

static char *take_string(char **at, char *end) {
	char *nul = memchr(*at, 0, (size_t)(end - *at));
	if (!nul) return NULL;
	char *s = *at;
	*at = nul + 1;
	return s;
}

static char **take_strings(char **at, char *end, uint32_t n) {
	if (n > MAX_TEXT / sizeof(char *)) return NULL;
	char **list = calloc((size_t)n + 2, sizeof *list); /* HOME may be added */
	for (uint32_t i = 0; list && i < n; i++)
		if (!(list[i] = take_string(at, end))) return NULL;
	return list;
}

/* parse reads the text of a request; it is mapped privately, so that nobody changes it meanwhile. */
static int parse(struct request *r) {
	struct stat st;
	if (fstat(r->fd[FD_TEXT], &st) || st.st_size < (off_t)sizeof(struct head) || st.st_size > MAX_TEXT) return -1;
	char *text = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, r->fd[FD_TEXT], 0);
	if (text == MAP_FAILED) return -1;
	char *at = text, *end = text + st.st_size;
	struct head *h = r->head = take(&at, end, sizeof *h);
	if (h->magic != MAGIC || h->args < 1 || h->groups > 65536 || h->limits > 64 || h->filters > BPF_MAXINSNS) return -1;
	if (h->namespaces > MAX_FDS || h->cgroups > MAX_FDS || (int)(FD_NS + h->namespaces + h->cgroups) != r->fds) return -1;
	r->limits = take(&at, end, h->limits * sizeof *r->limits);
	r->filters = take(&at, end, h->filters * sizeof *r->filters);
	r->groups = take(&at, end, h->groups * sizeof *r->groups);
	if (!r->limits || !r->filters || !r->groups) return -1;
	return (r->cwd = take_string(&at, end)) && (r->args = take_strings(&at, end, h->args)) &&
	       (r->env = take_strings(&at, end, h->env)) ? 0 : -1;
}

static void write_number(const char *file, int n) {
	char b[16];
	int len = 0, neg = n < 0, fd = open(file, O_WRONLY | O_CLOEXEC);
	unsigned u = neg ? (unsigned)-n : (unsigned)n;
	if (fd < 0) return;
	char d[12];
	int k = 0;
	do d[k++] = (char)('0' + u % 10); while (u /= 10);
	if (neg) b[len++] = '-';
	while (k) b[len++] = d[--k];
	if (write(fd, b, (size_t)len) < 0) { /* it stays what it is */ }
	close(fd);
}

/* enter joins the container's cgroups and namespaces. */
static int enter(struct request *r) {
	int ns = FD_NS, cg = FD_NS + (int)r->head->namespaces;
	if (setns(r->fd[FD_PIDNS], 0)) return AT_NAMESPACE; /* of its children */
	write_number("/proc/self/oom_score_adj", r->head->oom_score);
	for (int i = cg; i < r->fds; i++)
		if (write(r->fd[i], "0", 1) != 1) return AT_CGROUP;
	for (int i = ns; i < cg; i++)
		if (setns(r->fd[i], 0)) return AT_NAMESPACE;
	return -1;
}

/* become takes on the container's rights. */
static int become(struct request *r) {
	struct head *h = r->head;
	for (uint32_t i = 0; i < h->limits; i++) {
		struct rlimit l = { r->limits[i].soft, r->limits[i].hard };
		if (setrlimit(r->limits[i].resource, &l)) return AT_LIMIT;
	}
	syscall(SYS_keyctl, 1 /* JOIN_SESSION_KEYRING */, NULL);
	umask(h->umask);
	int there = chdir(r->cwd) == 0; /* before and after: either user may be the one who can */
	for (int c = 0; c < 64 && prctl(PR_CAPBSET_READ, c) >= 0; c++)
		if (!(h->capabilities >> c & 1) && prctl(PR_CAPBSET_DROP, c)) return AT_CAPABILITY;
	if (setgroups(h->groups, r->groups) || setresgid(h->gid, h->gid, h->gid) || setresuid(h->uid, h->uid, h->uid)) return AT_USER;
	/* Who is not root has none after the exec, as the container's own. */
	uint64_t own = h->uid == 0 ? h->capabilities : 0;
	struct __user_cap_header_struct ch = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct cd[2] = { { (uint32_t)own, (uint32_t)own, 0 }, { (uint32_t)(own >> 32), (uint32_t)(own >> 32), 0 } };
	if (syscall(SYS_capset, &ch, cd)) return AT_CAPABILITY;
	if (chdir(r->cwd) && !there) return AT_DIRECTORY;
	if (h->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return AT_SECCOMP;
	return -1;
}

/* find_home sets HOME where nobody did, as runc does: from the container's /etc/passwd. */
static void find_home(struct request *r) {
	char **e = r->env;
	for (; *e; e++)
		if (!strncmp(*e, "HOME=", 5)) return;
	static char home[4096 + 8] = "HOME=/";
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	FILE *f = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? fdopen(fd, "r") : NULL;
	for (struct passwd *p; f && (p = fgetpwent(f));)
		if (p->pw_uid == r->head->uid) {
			if (*p->pw_dir && strlen(p->pw_dir) < 4096) strcpy(home + 5, p->pw_dir);
			break;
		}
	if (f) fclose(f);
	*e = home;
}

static void execute(struct request *r) {
	if (strchr(r->args[0], '/')) {
		execve(r->args[0], r->args, r->env);
		return;
	}
	const char *path = "";
	for (char **e = r->env; *e; e++)
		if (!strncmp(*e, "PATH=", 5)) path = *e + 5;
	size_t name = strlen(r->args[0]);
	int why = ENOENT;
	for (const char *p = path; *p;) {
		size_t n = strcspn(p, ":");
		if (n > 0 && n + name + 2 < 4096) {
			char file[4096];
			memcpy(file, p, n);
			file[n] = '/';
			memcpy(file + n + 1, r->args[0], name + 1);
			execve(file, r->args, r->env);
			if (errno != ENOENT && errno != ENOTDIR) why = errno;
		}
		p += n + (p[n] == ':');
	}
	errno = why;
}

/* Where the two pipes to supervise() are after prepare(): for what went wrong, and for the check's number. */
enum { STATUS = 3, BORN };

/* check is the process that becomes the command. What goes wrong is written to STATUS, which the exec closes. */
static void check(struct request *r) {
	int place = AT_USER;
	close(BORN);
	setsid();
	if (!prctl(PR_SET_PDEATHSIG, SIGKILL)) {
		find_home(r);
		execute(r);
		place = AT_EXEC;
	}
	answer(STATUS, FAILED, errno, place);
	_exit(127);
}

/* close_rest leaves nothing open but the command's streams and the two pipes. */
static int close_rest(struct request *r, int status, int born) {
	int s = fcntl(status, F_DUPFD_CLOEXEC, FD_ALL), b = fcntl(born, F_DUPFD_CLOEXEC, FD_ALL); /* out of the way */
	return s < 0 || b < 0 || dup2(r->fd[FD_IN], 0) < 0 || dup2(r->fd[FD_OUT], 1) < 0 || dup2(r->fd[FD_OUT], 2) < 0 ||
	       dup3(s, STATUS, O_CLOEXEC) < 0 || dup3(b, BORN, O_CLOEXEC) < 0 || syscall(SYS_close_range, BORN + 1U, ~0U, 0);
}

/* default_signals undoes what the node ignores or blocks. The C library keeps two for itself and does not let them be set: the kernel does. */
static void default_signals(void) {
	sigset_t none;
	const unsigned long by_default[4] = { 0 }; /* the kernel's struct sigaction: handler, flags, restorer, mask */
	for (int s = 1; s <= 64; s++) syscall(SYS_rt_sigaction, s, by_default, NULL, 8); /* two cannot be changed */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* prepare becomes what the check is to be, and makes it, as supervise()'s child and not its own. */
static void prepare(struct request *r, int status, int born) {
	int place = enter(r);
	if (place < 0) {
		if (close_rest(r, status, born)) _exit(127);
		status = STATUS;
		default_signals();
		place = become(r);
	}
	if (place < 0 && r->head->filters) {
		struct sock_fprog f = { (unsigned short)r->head->filters, r->filters };
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &f)) place = AT_SECCOMP;
	}
	if (place < 0) {
		pid_t pid = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
		if (pid == 0) check(r);
		if (pid > 0 && write(BORN, &pid, sizeof pid) == sizeof pid) _exit(0);
		place = AT_FORK;
	}
	answer(status, FAILED, errno, place);
	_exit(127);
}

/* kill_tree ends everything in the check's own cgroup, and the check itself where it has none. */
static void kill_tree(struct request *r, pid_t pid) {
	kill(pid, SIGKILL);
	int fd = r->fd[FD_KILL];
	if (r->head->kill_by_write) {
		if (write(fd, "1", 1) < 0) { /* gone */ }
		return;
	}
	for (int round = 0; round < 100; round++) {
		char text[65536];
		ssize_t n = pread(fd, text, sizeof text - 1, 0);
		if (n <= 0) return;
		text[n] = 0;
		for (char *p = text; *p;) {
			long one = strtol(p, &p, 10);
			if (one > 1) kill((pid_t)one, SIGKILL);
			while (*p && (*p < '0' || *p > '9')) p++;
		}
		struct timespec moment = { 0, 1000000 };
		nanosleep(&moment, NULL);
	}
}

static int64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* await waits until fd has something to tell, the time is over, or nobody waits for the answer. */
static int await(struct request *r, int fd, int64_t until) {
	struct pollfd p[2] = { { fd, POLLIN, 0 }, { r->fd[FD_RESULT], 0, 0 } };
	if (fd < 0) return 0;
	for (;;) {
		int64_t left = until - now();
		int n = left > 0 ? poll(p, 2, (int)left) : 0;
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0 || p[1].revents) return p[0].revents != 0;
		if (p[0].revents) return 1;
	}
}

/* supervise runs one check and answers. It stays outside of the container. */
static void supervise(struct request *r) {
	signal(SIGCHLD, SIG_DFL);
	int status[2], born[2], out = r->fd[FD_RESULT], wait = 0;
	if (parse(r)) { answer(out, FAILED, EINVAL, AT_REQUEST); return; }
	int64_t until = now() + r->head->timeout_ms;
	if (pipe2(status, O_CLOEXEC) || pipe2(born, O_CLOEXEC)) { answer(out, FAILED, errno, AT_FORK); return; }
	pid_t pid, maker = fork();
	if (maker < 0) { answer(out, FAILED, errno, AT_FORK); return; }
	if (maker == 0) prepare(r, status[1], born[1]);
	close(status[1]);
	close(born[1]);
	close(r->fd[FD_OUT]);
	int in_time = await(r, born[0], until);
	if (!in_time || read(born[0], &pid, sizeof pid) != sizeof pid) pid = 0;
	if (pid) in_time = await(r, (int)syscall(SYS_pidfd_open, pid, 0), until);
	if (!in_time) kill_tree(r, pid ? pid : maker);
	while (waitpid(maker, NULL, 0) < 0 && errno == EINTR) {}
	while (pid && waitpid(pid, &wait, 0) < 0 && errno == EINTR) {}
	int32_t failed[3];
	if (!in_time) answer(out, TIMED_OUT, 0, 0);
	else if (read(status[0], failed, sizeof failed) == sizeof failed) answer(out, failed[0], failed[1], failed[2]);
	else if (!pid) answer(out, FAILED, ECHILD, AT_FORK);
	else if (WIFSIGNALED(wait)) answer(out, SIGNALLED, WTERMSIG(wait), 0);
	else answer(out, EXITED, WEXITSTATUS(wait), 0);
}

/* receive takes the next request; 0 at the end. */
static int receive(struct request *r) {
	char byte, space[CMSG_SPACE(sizeof(int) * MAX_FDS)];
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space };
	ssize_t n;
	while ((n = recvmsg(SOCKET, &m, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {}
	r->fds = 0;
	if (n <= 0) return 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
		r->fds = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(r->fd, CMSG_DATA(c), (size_t)r->fds * sizeof(int));
	}
	return 1;
}

/* seal goes on in a copy of the program that cannot be written. */
static int seal(char **argv, char **env) {
	int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), copy = memfd_create("berth-enter", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (self < 0 || copy < 0) return -1;
	if (fcntl(self, F_GET_SEALS) == seals) { close(copy); return close(self); }
	char b[65536];
	for (ssize_t n; (n = read(self, b, sizeof b)) != 0;)
		if (n < 0 || write(copy, b, (size_t)n) != n) return -1;
	if (fcntl(copy, F_ADD_SEALS, seals)) return -1;
	fexecve(copy, argv, env);
	return -1;
}

int main(int argc, char **argv, char **env) {
	if (argc > 1 && !strcmp(argv[1], "--version")) return write(1, "berth-enter 1.1.2\n", 18) == 18 ? 0 : 1;
	if (seal(argv, env)) return 1;
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_NAME, "berth-enter");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	for (struct request r = { 0 }; receive(&r);) {
		if (r.fds > FD_NS) {
			pid_t pid = fork();
			if (pid == 0) {
				close(SOCKET);
				supervise(&r);
				_exit(0);
			}
			if (pid < 0) answer(r.fd[FD_RESULT], FAILED, errno, AT_FORK);
		}
		for (int i = 0; i < r.fds; i++) close(r.fd[i]);
	}
	return 0;
}
