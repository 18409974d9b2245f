#include "CFaultVFS.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#define WATCHES 256

struct watch {
    char prefix[1024];
    enum fault_kind kind;
    long left;
    long syncs;
    long operations;
    long read_bytes;
};

static struct watch watches[WATCHES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sqlite3_vfs *real_vfs;
static sqlite3_vfs fault_vfs;
static int is_registered;

struct fault_file {
    sqlite3_file base;
    int watch;
    sqlite3_file *real;
};

static struct fault_file *self(sqlite3_file *file) { return (struct fault_file *)file; }
static sqlite3_file *real(sqlite3_file *file) { return self(file)->real; }

/// Counts an operation and says whether it may happen: SQLITE_OK, or what it fails with.
static int admit(sqlite3_file *file, int grows, int is_sync) {
    int number = self(file)->watch;
    if (number < 0) return SQLITE_OK;
    pthread_mutex_lock(&lock);
    struct watch *watch = &watches[number];
    watch->operations += 1;
    watch->syncs += is_sync;
    int result = SQLITE_OK;
    if (watch->kind != FAULT_NONE && watch->left-- <= 0) {
        if (watch->kind == FAULT_KILL) kill(getpid(), SIGKILL);
        if (watch->kind == FAULT_DEAD) result = SQLITE_IOERR_WRITE;
        if (watch->kind == FAULT_DISK_FULL && grows) result = SQLITE_FULL;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static int file_close(sqlite3_file *file) { return real(file)->pMethods->xClose(real(file)); }
static int file_size(sqlite3_file *file, sqlite3_int64 *size) { return real(file)->pMethods->xFileSize(real(file), size); }
static int file_lock(sqlite3_file *file, int level) { return real(file)->pMethods->xLock(real(file), level); }
static int file_unlock(sqlite3_file *file, int level) { return real(file)->pMethods->xUnlock(real(file), level); }
static int file_reserved(sqlite3_file *file, int *result) { return real(file)->pMethods->xCheckReservedLock(real(file), result); }
static int file_control(sqlite3_file *file, int operation, void *argument) { return real(file)->pMethods->xFileControl(real(file), operation, argument); }
static int file_sector(sqlite3_file *file) { return real(file)->pMethods->xSectorSize(real(file)); }
static int file_traits(sqlite3_file *file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); }
static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **memory) { return real(file)->pMethods->xShmMap(real(file), page, size, extend, memory); }
static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags) { return real(file)->pMethods->xShmLock(real(file), offset, count, flags); }
static void file_shm_barrier(sqlite3_file *file) { real(file)->pMethods->xShmBarrier(real(file)); }
static int file_shm_unmap(sqlite3_file *file, int remove) { return real(file)->pMethods->xShmUnmap(real(file), remove); }

static int file_read(sqlite3_file *file, void *into, int count, sqlite3_int64 at) {
    int number = self(file)->watch;
    if (number >= 0) {
        pthread_mutex_lock(&lock);
        watches[number].read_bytes += count;
        pthread_mutex_unlock(&lock);
    }
    return real(file)->pMethods->xRead(real(file), into, count, at);
}

static int file_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at) {
    sqlite3_int64 size = 0;
    int known = real(file)->pMethods->xFileSize(real(file), &size);
    if (known != SQLITE_OK) return known;
    int refused = admit(file, at + count > size, 0);
    return refused != SQLITE_OK ? refused : real(file)->pMethods->xWrite(real(file), bytes, count, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
    int refused = admit(file, 0, 0);
    return refused != SQLITE_OK ? refused : real(file)->pMethods->xTruncate(real(file), size);
}

static int file_sync(sqlite3_file *file, int flags) {
    int refused = admit(file, 0, 1);
    return refused != SQLITE_OK ? refused : real(file)->pMethods->xSync(real(file), flags);
}

/// Version 2: no memory-mapped reads, which would go past the counters.
static const sqlite3_io_methods methods = {
    2, file_close, file_read, file_write, file_truncate, file_sync, file_size, file_lock, file_unlock, file_reserved, file_control,
    file_sector, file_traits, file_shm_map, file_shm_lock, file_shm_barrier, file_shm_unmap, 0, 0,
};

static int watch_of(const char *path) {
    int found = -1;
    pthread_mutex_lock(&lock);
    for (int number = 0; path && number < WATCHES; number++) {
        const char *prefix = watches[number].prefix;
        if (prefix[0] && strncmp(path, prefix, strlen(prefix)) == 0) found = number;
    }
    pthread_mutex_unlock(&lock);
    return found;
}

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *file, int flags, int *opened) {
    (void)vfs;
    struct fault_file *made = self(file);
    made->base.pMethods = 0;
    made->watch = watch_of(path);
    made->real = (sqlite3_file *)(made + 1);
    int result = real_vfs->xOpen(real_vfs, path, made->real, flags, opened);
    if (made->real->pMethods) made->base.pMethods = &methods;
    return result;
}

int fault_vfs_register(void) {
    pthread_mutex_lock(&lock);
    int result = SQLITE_OK;
    if (!is_registered) {
        real_vfs = sqlite3_vfs_find(0);
        fault_vfs = *real_vfs;
        fault_vfs.zName = "fault";
        fault_vfs.szOsFile = (int)sizeof(struct fault_file) + real_vfs->szOsFile;
        fault_vfs.xOpen = vfs_open;
        fault_vfs.pNext = 0;
        result = sqlite3_vfs_register(&fault_vfs, 1);
        is_registered = result == SQLITE_OK;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int fault_vfs_watch(const char *prefix) {
    int made = -1;
    pthread_mutex_lock(&lock);
    for (int number = 0; number < WATCHES && made < 0; number++) {
        if (watches[number].prefix[0] || strlen(prefix) >= sizeof watches[number].prefix) continue;
        memset(&watches[number], 0, sizeof watches[number]);
        strcpy(watches[number].prefix, prefix);
        made = number;
    }
    pthread_mutex_unlock(&lock);
    return made;
}

void fault_vfs_unwatch(int watch) {
    pthread_mutex_lock(&lock);
    watches[watch].prefix[0] = 0;
    watches[watch].kind = FAULT_NONE;
    pthread_mutex_unlock(&lock);
}

void fault_vfs_fail(int watch, enum fault_kind kind, long operations) {
    pthread_mutex_lock(&lock);
    watches[watch].kind = kind;
    watches[watch].left = operations;
    pthread_mutex_unlock(&lock);
}

long fault_vfs_syncs(int watch) {
    pthread_mutex_lock(&lock);
    long count = watches[watch].syncs;
    pthread_mutex_unlock(&lock);
    return count;
}

long fault_vfs_operations(int watch) {
    pthread_mutex_lock(&lock);
    long count = watches[watch].operations;
    pthread_mutex_unlock(&lock);
    return count;
}

long fault_vfs_read_bytes(int watch) {
    pthread_mutex_lock(&lock);
    long count = watches[watch].read_bytes;
    pthread_mutex_unlock(&lock);
    return count;
}
