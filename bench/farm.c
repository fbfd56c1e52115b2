/* The farm: answers every connection with the same bytes, and never sleeps, so that waking it costs no client.
 *
 * farm REPLY_FILE REQUEST_BYTES     prints its port, then serves until its input ends
 *
 * After each REQUEST_BYTES received it sends the file; with 0 it only accepts. A real server sleeps between
 * requests, and each wake-up is paid by whoever sends: by a slow client always, by a fast one never.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 512, FDS_MAX = 65536, BACKLOG = 4096 };

static long received[FDS_MAX];
static char reply[262144];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

int main(int count, char **words) {
    if (count != 3) return 64;
    FILE *file = fopen(words[1], "rb");
    if (!file) fail(words[1]);
    long reply_bytes = fread(reply, 1, sizeof reply, file), request_bytes = atol(words[2]);
    int door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), many = epoll_create1(0);
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof where;
    if (bind(door, (struct sockaddr *)&where, size) < 0 || listen(door, BACKLOG) < 0) fail("listen");
    getsockname(door, (struct sockaddr *)&where, &size);
    printf("%d\n", ntohs(where.sin_port));
    fflush(stdout);
    fcntl(0, F_SETFL, O_NONBLOCK);
    static struct epoll_event ready[EVENTS_MAX];
    static char chunk[65536];
    for (long turn = 0;; turn++) {
        if (turn % 1024 == 0 && read(0, chunk, 1) == 0) return 0;
        for (int fd; (fd = accept4(door, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
            if (request_bytes == 0 || fd >= FDS_MAX) {
                close(fd);
                continue;
            }
            received[fd] = 0;
            struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = fd};
            epoll_ctl(many, EPOLL_CTL_ADD, fd, &event);
        }
        int found = request_bytes ? epoll_wait(many, ready, EVENTS_MAX, 0) : 0;
        for (int place = 0; place < found; place++) {
            int fd = ready[place].data.fd;
            ssize_t got = recv(fd, chunk, sizeof chunk, 0);
            if (got <= 0) {
                close(fd);
                continue;
            }
            received[fd] += got;
            if (received[fd] >= request_bytes) {
                received[fd] = 0;
                if (send(fd, reply, reply_bytes, MSG_NOSIGNAL) < 0) close(fd);
            }
        }
    }
}
