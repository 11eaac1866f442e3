/*
 * base/stats.c - the file of counters, mapped by each worker. See base/stats.h.
 *
 * A worker holds a lock on the byte of its slot. The kernel drops it with the process, however that
 * ends, so a slot without a lock is free.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "base/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

enum { LOCK_OF_FILE = STATS_WORKERS, TRIES = 5 };

struct stats_file {
	uint64_t layout;
	struct stats slots[STATS_WORKERS];
};

static struct stats unshared;
static struct {
	struct stats_file *file; /* NULL: none is mapped */
	struct stats *mine;
	int fd;
	unsigned slot;
} state = {.mine = &unshared, .fd = -1};

const uint64_t stats_durations_us[STATS_BUCKETS] = {1000,    2500,    5000,    10000,  25000,
						    50000,   100000,  250000,  500000, 1000000,
						    2500000, 5000000, 10000000};
const uint64_t stats_sizes[STATS_BUCKETS] = {1,	  2,   4,   8,		16,	    32,	       64,
					     128, 256, 512, UINT64_MAX, UINT64_MAX, UINT64_MAX};

/* ---- locks ---- */

static bool lock(int fd, short type, off_t at, int command)
{
	struct flock range = {.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};

	while (fcntl(fd, command, &range) != 0) {
		if (errno != EINTR)
			return false;
	}
	return true;
}

/* Another process's lock: a process does not see its own. */
static bool is_locked(int fd, off_t at)
{
	struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};

	return fcntl(fd, F_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

/* ---- the file ---- */

/* False if the path names another file by now: one of another layout was replaced. */
static bool is_at(int fd, const char *path)
{
	struct stat ours, theirs;

	return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
	       ours.st_ino == theirs.st_ino;
}

enum content { NEW, OURS, FOREIGN };

static enum content content_of(int fd, uint64_t layout)
{
	struct stat is;
	uint64_t found = 0;

	if (fstat(fd, &is) == 0 && is.st_size == 0)
		return NEW;
	/* Zero: it was not filled to its end. */
	if (is.st_size == (off_t)sizeof(struct stats_file) &&
	    pread(fd, &found, sizeof(found), 0) == (ssize_t)sizeof(found) && found == layout)
		return OURS;
	return FOREIGN;
}

/* Reserves the pages, because a full file system would kill the process that writes to one. */
static bool fill(int fd, uint64_t layout)
{
	int error = posix_fallocate(fd, 0, sizeof(struct stats_file));

	errno = error;
	return error == 0 && pwrite(fd, &layout, sizeof(layout), 0) == (ssize_t)sizeof(layout);
}

/* The file's descriptor; -1 with errno, EAGAIN: try again. Only the file's owner may replace it,
 * and a symbolic link is not followed. */
static int open_file(const char *path, uint64_t layout)
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return -1;
	if (lock(fd, F_WRLCK, LOCK_OF_FILE, F_SETLKW)) {
		enum content content = content_of(fd, layout);
		if (content == FOREIGN)
			(void)unlink(path);
		if (!is_at(fd, path))
			errno = EAGAIN;
		else if (content == OURS || fill(fd, layout)) {
			(void)lock(fd, F_UNLCK, LOCK_OF_FILE, F_SETLK);
			return fd;
		}
	}
	int error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

static struct stats_file *map(int fd, int protection)
{
	void *mapped = mmap(NULL, sizeof(struct stats_file), protection,
			    fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

	return mapped == MAP_FAILED ? NULL : mapped;
}

static void map_file(const char *path, uint64_t layout)
{
	errno = EAGAIN;
	for (int i = 0; i < TRIES && state.fd < 0 && errno == EAGAIN; i++)
		state.fd = open_file(path, layout);
	if (state.fd >= 0)
		state.file = map(state.fd, PROT_READ | PROT_WRITE);
	if (state.file == NULL)
		log_event(LOG_LEVEL_WARNING,
			  "could not open the file of metrics, which begin anew with each worker",
			  LOG_TEXT("file", path), LOG_TEXT("cause", strerror(errno)));
}

/* ---- slots ---- */

static void take_slot(enum stats_user user)
{
	unsigned slot = (unsigned)getpid() % STATS_WORKERS;

	if (user == STATS_WORKER && state.fd >= 0) {
		for (slot = 0; slot < STATS_WORKERS - 1; slot++) {
			if (lock(state.fd, F_WRLCK, (off_t)slot, F_SETLK))
				break;
		}
	} else if (state.fd < 0) {
		slot = 0;
	}
	state.slot = user == STATS_WORKER ? slot : STATS_WORKERS;
	state.mine = &state.file->slots[slot];
	if (user == STATS_PASSING)
		return;
	stats_set(&state.mine->pid, (uint64_t)getpid());
	stats_set(&state.mine->started_s, (uint64_t)time(NULL));
}

void stats_open(const char *path, uint64_t layout, enum stats_user user)
{
	stats_close();
	if (*path != '\0')
		map_file(path, layout);
	/* Children need shared memory to add to. */
	if (state.file == NULL)
		state.file = map(-1, PROT_READ | PROT_WRITE);
	if (state.file != NULL)
		take_slot(user);
}

enum status stats_attach(const char *path, uint64_t layout)
{
	stats_close();
	state.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (state.fd >= 0 && content_of(state.fd, layout) == OURS)
		state.file = map(state.fd, PROT_READ);
	if (state.file == NULL) {
		stats_close();
		return STATUS_NO_SUCH_ROW;
	}
	state.slot = STATS_WORKERS;
	return STATUS_OK;
}

void stats_close(void)
{
	if (state.file != NULL)
		(void)munmap(state.file, sizeof(*state.file));
	if (state.fd >= 0)
		(void)close(state.fd);
	state.file = NULL;
	state.mine = &unshared;
	state.fd = -1;
}

struct stats *stats_mine(void)
{
	return state.mine;
}

const struct stats *stats_slot(unsigned index)
{
	return state.file == NULL ? &unshared : &state.file->slots[index];
}

bool stats_is_running(unsigned index)
{
	if (state.file == NULL)
		return false;
	return index == state.slot || (state.fd >= 0 && is_locked(state.fd, (off_t)index));
}

uint64_t stats_sum(size_t offset)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < STATS_WORKERS; i++) {
		const char *stats = (const char *)stats_slot(i);
		sum += stats_get((const stats_number *)(const void *)(stats + offset));
	}
	return sum;
}

void stats_observe(struct stats_histogram *histogram, const uint64_t bounds[STATS_BUCKETS],
		   uint64_t value)
{
	unsigned bucket = 0;

	while (bucket < STATS_BUCKETS && value > bounds[bucket])
		bucket++;
	stats_add(&histogram->buckets[bucket], 1);
	stats_add(&histogram->sum, value);
}
