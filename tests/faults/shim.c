/*
 * A library to preload into a program: it makes the system calls fail that
 * concern the files below one directory. Linux only.
 *
 * SHIM_DIR      a part of the paths that are meant
 * SHIM_CONTROL  the control file; without it nothing fails. It is read again
 *               at each call, so a test can change it while the program runs.
 *
 * Each line of the control file is a rule:
 *
 *     <call> <action> <number> <from> <times>
 *
 * call    open, write, fdatasync, fsync, ftruncate, rename, unlink, mkdir or
 *         any; fsync is what the journal calls for a directory
 * action  delay   the call takes so many milliseconds longer
 *         fail    the call returns this errno and does nothing
 *         room    for write: after so many bytes the disk is full; cutting a
 *                 file makes room again
 *         kill    the program kills itself, before it does the call
 * from    the rule applies from so many matching calls on; 1 is the first
 * times   and to so many of them; 0 is all
 *
 * Calls are counted from when the control file changed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { RULES = 16, CONTROL = 2048, SLICES = 1024 };

struct rule {
    char call[16];
    char action[16];
    long number;
    long from;
    long times;
    long count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char control[CONTROL];
static struct rule rules[RULES];
static int rule_count;

static int is_meant(const char *path) {
    const char *dir = getenv("SHIM_DIR");
    return dir && path && strstr(path, dir);
}

static int is_meant_fd(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return is_meant(path);
}

/* Reads the control file again; the lock is held. */
static void read_rules(void) {
    char text[CONTROL] = "";
    const char *path = getenv("SHIM_CONTROL");
    long length = 0;
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0) : -1;
    if (fd >= 0) {
        length = syscall(SYS_read, fd, text, sizeof text - 1);
        syscall(SYS_close, fd);
    }
    text[length > 0 ? length : 0] = 0;
    if (strcmp(text, control) == 0)
        return;
    strcpy(control, text);
    rule_count = 0;
    char *rest = text;
    for (char *line; rule_count < RULES && (line = strsep(&rest, "\n"));) {
        struct rule *rule = &rules[rule_count];
        memset(rule, 0, sizeof *rule);
        if (sscanf(line, "%15s %15s %ld %ld %ld", rule->call, rule->action, &rule->number,
                   &rule->from, &rule->times) == 5)
            rule_count++;
    }
}

/*
 * Acts on the rules for a call. Returns 0 when the call is to be done, or -1
 * with errno set. *bytes is what a write wants, and is cut to what there is
 * room for.
 */
static int act(const char *call, long *bytes) {
    long delay = 0;
    int failed = 0;
    int before = errno;
    pthread_mutex_lock(&lock);
    read_rules();
    for (int i = 0; i < rule_count; i++) {
        struct rule *rule = &rules[i];
        if (strcmp(rule->call, call) != 0 && strcmp(rule->call, "any") != 0)
            continue;
        rule->count++;
        if (rule->count < rule->from)
            continue;
        if (rule->times && rule->count >= rule->from + rule->times)
            continue;
        if (strcmp(rule->action, "kill") == 0) {
            kill(getpid(), SIGKILL);
        } else if (strcmp(rule->action, "delay") == 0) {
            delay += rule->number;
        } else if (strcmp(rule->action, "fail") == 0) {
            failed = (int)rule->number;
        } else if (strcmp(rule->action, "room") == 0 && bytes) {
            if (rule->number <= 0 && *bytes > 0)
                failed = ENOSPC;
            else if (*bytes > rule->number)
                *bytes = rule->number;
            if (!failed)
                rule->number -= *bytes;
        }
    }
    pthread_mutex_unlock(&lock);
    if (delay) {
        struct timespec left = {delay / 1000, delay % 1000 * 1000000};
        while (nanosleep(&left, &left) != 0 && errno == EINTR)
            ;
    }
    errno = failed ? failed : before;
    return failed ? -1 : 0;
}

/* What is cut off a file is room again. */
static void give_room(long bytes) {
    pthread_mutex_lock(&lock);
    for (int i = 0; i < rule_count; i++)
        if (strcmp(rules[i].action, "room") == 0)
            rules[i].number += bytes;
    pthread_mutex_unlock(&lock);
}

static int open_at(int dir, const char *path, int flags, mode_t mode) {
    if (is_meant(path) && act("open", NULL))
        return -1;
    return (int)syscall(SYS_openat, dir, path, flags, mode);
}

#define MODE_OF(flags)                                                                             \
    mode_t mode = 0;                                                                               \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                         \
        va_list list;                                                                              \
        va_start(list, flags);                                                                     \
        mode = va_arg(list, mode_t);                                                               \
        va_end(list);                                                                              \
    }

int open(const char *path, int flags, ...) {
    MODE_OF(flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE_OF(flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...) {
    MODE_OF(flags)
    return open_at(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...) {
    MODE_OF(flags)
    return open_at(dir, path, flags, mode);
}

ssize_t write(int fd, const void *data, size_t size) {
    long bytes = (long)size;
    if (is_meant_fd(fd) && act("write", &bytes))
        return -1;
    return syscall(SYS_write, fd, data, bytes);
}

ssize_t writev(int fd, const struct iovec *slices, int count) {
    if (!is_meant_fd(fd))
        return syscall(SYS_writev, fd, slices, count);
    struct iovec cut[SLICES];
    if (count > SLICES)
        count = SLICES;
    long bytes = 0;
    for (int i = 0; i < count; i++) {
        cut[i] = slices[i];
        bytes += (long)slices[i].iov_len;
    }
    if (act("write", &bytes))
        return -1;
    for (int i = 0; i < count; i++) {
        if ((long)cut[i].iov_len > bytes)
            cut[i].iov_len = bytes;
        bytes -= (long)cut[i].iov_len;
    }
    return syscall(SYS_writev, fd, cut, count);
}

int fsync(int fd) {
    if (is_meant_fd(fd) && act("fsync", NULL))
        return -1;
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
    if (is_meant_fd(fd) && act("fdatasync", NULL))
        return -1;
    return (int)syscall(SYS_fdatasync, fd);
}

static int cut_file(int fd, off_t length) {
    if (!is_meant_fd(fd))
        return (int)syscall(SYS_ftruncate, fd, length);
    struct stat before;
    if (act("ftruncate", NULL))
        return -1;
    int known = fstat(fd, &before);
    int result = (int)syscall(SYS_ftruncate, fd, length);
    if (known == 0 && result == 0 && before.st_size > length)
        give_room(before.st_size - length);
    return result;
}

int ftruncate(int fd, off_t length) {
    return cut_file(fd, length);
}

int ftruncate64(int fd, off64_t length) {
    return cut_file(fd, length);
}

int rename(const char *from, const char *to) {
    if (is_meant(from) && act("rename", NULL))
        return -1;
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path) {
    if (is_meant(path) && act("unlink", NULL))
        return -1;
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int mkdir(const char *path, mode_t mode) {
    if (is_meant(path) && act("mkdir", NULL))
        return -1;
    return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}
