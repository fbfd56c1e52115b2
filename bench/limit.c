/* The limit: the same exchanges as trueup's probes, by a C client on epoll. Prints its CPU in µs for each.
 *
 * limit plain|tls HOST PORT COUNT IN_FLIGHT [REQUEST_FILE REPLY_BYTES]
 *
 * Without a request it connects and resets. With one it sends the file's bytes, reads REPLY_BYTES and
 * resets. The clock is this process's user and system time, from the first connection to the last.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 512, CHUNK_BYTES = 16384, FDS_MAX = 65536 };

static struct {
    int connected, sent;
    long received;
    SSL *tls;
} conversation[FDS_MAX];
static struct sockaddr_in where;
static char request[65536];
static long request_bytes, reply_bytes, failures;
static int epoll_fd;
static SSL_CTX *context;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void begin(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || fd >= FDS_MAX) fail("socket");
    memset(&conversation[fd], 0, sizeof conversation[fd]);
    if (connect(fd, (struct sockaddr *)&where, sizeof where) < 0 && errno != EINPROGRESS) fail("connect");
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.fd = fd};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
}

static int end(int fd, int failed) {
    struct linger reset = {1, 0};
    failures += failed;
    if (conversation[fd].tls) SSL_free(conversation[fd].tls);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    return 1;
}

static ssize_t transfer(int fd, char *chunk) {
    SSL *tls = conversation[fd].tls;
    if (!tls) {
        if (chunk) return recv(fd, chunk, CHUNK_BYTES, 0);
        return send(fd, request, request_bytes, MSG_NOSIGNAL);
    }
    int got = chunk ? SSL_read(tls, chunk, CHUNK_BYTES) : SSL_write(tls, request, request_bytes);
    if (got > 0) return got;
    int why = SSL_get_error(tls, got);
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
    return -1;
}

/* Returns 1 when the conversation is over. */
static int go_on(int fd, unsigned events) {
    static char chunk[CHUNK_BYTES];
    if (!conversation[fd].connected) {
        if (events & (EPOLLERR | EPOLLHUP)) return end(fd, 1);
        conversation[fd].connected = 1;
        if (request_bytes == 0) return end(fd, 0);
        if (context) {
            conversation[fd].tls = SSL_new(context);
            SSL_set_fd(conversation[fd].tls, fd);
        }
    }
    if (conversation[fd].tls && !SSL_is_init_finished(conversation[fd].tls)) {
        int done = SSL_connect(conversation[fd].tls);
        if (done != 1) return SSL_get_error(conversation[fd].tls, done) == SSL_ERROR_WANT_READ ? 0 : end(fd, 1);
    }
    if (!conversation[fd].sent) {
        if (transfer(fd, NULL) != request_bytes) return end(fd, 1);
        conversation[fd].sent = 1;
    }
    for (;;) {
        ssize_t got = transfer(fd, chunk);
        if (got < 0) return errno == EAGAIN ? 0 : end(fd, 1);
        if (got == 0) return end(fd, 1);
        conversation[fd].received += got;
        if (conversation[fd].received >= reply_bytes) return end(fd, 0);
        if (got < CHUNK_BYTES && !conversation[fd].tls) return 0;
    }
}

static double cpu_us(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

int main(int count, char **words) {
    if (count != 6 && count != 8) {
        fprintf(stderr, "usage: limit plain|tls HOST PORT COUNT IN_FLIGHT [REQUEST_FILE REPLY_BYTES]\n");
        return 64;
    }
    if (!strcmp(words[1], "tls")) {
        context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    }
    where.sin_family = AF_INET;
    where.sin_port = htons(atoi(words[3]));
    if (inet_pton(AF_INET, words[2], &where.sin_addr) != 1) fail("host");
    long total = atol(words[4]), most = atol(words[5]), begun = 0, over = 0;
    if (count == 8) {
        FILE *file = fopen(words[6], "rb");
        if (!file) fail(words[6]);
        request_bytes = fread(request, 1, sizeof request, file);
        fclose(file);
        reply_bytes = atol(words[7]);
    }
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    static struct epoll_event ready[EVENTS_MAX];
    double before = cpu_us();
    while (over < total) {
        while (begun < total && begun - over < most) begin(), begun++;
        int found = epoll_wait(epoll_fd, ready, EVENTS_MAX, 5000);
        if (found <= 0) fail("epoll_wait");
        for (int place = 0; place < found; place++) over += go_on(ready[place].data.fd, ready[place].events);
    }
    printf("%.2f %ld\n", (cpu_us() - before) / total, failures);
    return 0;
}
