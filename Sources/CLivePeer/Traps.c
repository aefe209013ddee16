#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CLivePeer.h"
#include "ticks.h"

static char *protected_page;
static size_t page_bytes;
static struct sigaction previous;

static void open_page(int number, siginfo_t *information, void *context) {
  (void)context;
  char *address = information->si_addr;
  // A fault elsewhere is somebody's bug: the old handler gets it when the instruction runs again.
  if (address < protected_page || address >= protected_page + page_bytes ||
      mprotect(protected_page, page_bytes, PROT_READ | PROT_WRITE))
    sigaction(number, &previous, NULL);
}

static char *map_page(void) {
  page_bytes = (size_t)sysconf(_SC_PAGESIZE);
  char *page =
      mmap(NULL, page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return NULL;
  page[0] = 1;
  return page;
}

int CLivePeer_trapSignal(CLivePeerTrap *traps, size_t count) {
  char *page = map_page();
  if (!page) return -ENOMEM;
  protected_page = page;
  struct sigaction action = {.sa_sigaction = open_page, .sa_flags = SA_SIGINFO};
  sigemptyset(&action.sa_mask);
  int error = sigaction(SIGSEGV, &action, &previous) ? -errno : 0;
  if (!error && mprotect(page, page_bytes, PROT_READ)) error = -errno;
  volatile uint64_t *words = (volatile uint64_t *)page;
  for (size_t index = 0; !error && index < count; index++) {
    uint64_t start = ticks();
    words[index % (page_bytes / 8)] = index;
    uint64_t stored = ticks();
    if (words[index % (page_bytes / 8)] != index) error = -EIO;
    if (mprotect(page, page_bytes, PROT_READ)) error = -errno;
    traps[index] = (CLivePeerTrap){.trapped = stored - start, .closed = ticks() - stored};
  }
  sigaction(SIGSEGV, &previous, NULL);
  munmap(page, page_bytes);
  return error;
}

typedef struct {
  int descriptor;
  char *page;
  int stopping;
} Opener;

static void *open_pages(void *argument) {
  Opener *opener = argument;
  struct pollfd waited = {.fd = opener->descriptor, .events = POLLIN};
  while (!__atomic_load_n(&opener->stopping, __ATOMIC_ACQUIRE)) {
    struct uffd_msg message;
    if (poll(&waited, 1, 20) <= 0) continue;
    if (read(opener->descriptor, &message, sizeof message) != (ssize_t)sizeof message) continue;
    struct uffdio_writeprotect request = {
        .range = {.start = (uintptr_t)opener->page, .len = page_bytes}};
    if (ioctl(opener->descriptor, UFFDIO_WRITEPROTECT, &request) < 0) {
      // Closing lets the writer go on; its next request then fails.
      close(opener->descriptor);
      opener->descriptor = -1;
      return NULL;
    }
  }
  return NULL;
}

int CLivePeer_trapUserfault(CLivePeerTrap *traps, size_t count) {
  char *page = map_page();
  if (!page) return -ENOMEM;
  Opener opener = {.page = page};
  opener.descriptor =
      (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
  int error = opener.descriptor < 0 ? -errno : 0;
  struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP};
  struct uffdio_register range = {
      .range = {.start = (uintptr_t)page, .len = page_bytes}, .mode = UFFDIO_REGISTER_MODE_WP};
  struct uffdio_writeprotect closing = {
      .range = {.start = (uintptr_t)page, .len = page_bytes}, .mode = UFFDIO_WRITEPROTECT_MODE_WP};
  if (!error && ioctl(opener.descriptor, UFFDIO_API, &api) < 0) error = -errno;
  if (!error && ioctl(opener.descriptor, UFFDIO_REGISTER, &range) < 0) error = -errno;
  if (!error && ioctl(opener.descriptor, UFFDIO_WRITEPROTECT, &closing) < 0) error = -errno;
  pthread_t thread;
  int started = !error && !pthread_create(&thread, NULL, open_pages, &opener);
  if (!error && !started) error = -EAGAIN;
  volatile uint64_t *words = (volatile uint64_t *)page;
  for (size_t index = 0; !error && index < count; index++) {
    uint64_t start = ticks();
    words[index % (page_bytes / 8)] = index;
    uint64_t stored = ticks();
    if (words[index % (page_bytes / 8)] != index) error = -EIO;
    if (ioctl(opener.descriptor, UFFDIO_WRITEPROTECT, &closing) < 0) error = -errno;
    traps[index] = (CLivePeerTrap){.trapped = stored - start, .closed = ticks() - stored};
  }
  if (started) {
    __atomic_store_n(&opener.stopping, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
  }
  if (opener.descriptor >= 0) close(opener.descriptor);
  munmap(page, page_bytes);
  return error;
}
