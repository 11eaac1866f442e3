/*
 * keeping.c - empty.c for a web server that keeps its FastCGI connections.
 *
 * libfcgi serves one connection after the other, so a program of its own is needed to answer on
 * many kept ones: one process, epoll, a read and a write a request. It does the least that the
 * protocol asks of it (FastCGI 1.0, sections 3.3 and 5): finds the end of stdin, answers 202 with
 * the same bytes as empty.c, and keeps the connection if the web server asked for that.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	HEADER = 8,
	BEGIN_REQUEST = 1,
	END_REQUEST = 3,
	STDIN = 5,
	STDOUT = 6,
	KEEP_CONN = 1,
	RECORD_MAX = HEADER + 65535 + 255,
	LISTENING = 0,
	DESCRIPTORS = 65536
};

struct connection {
	bool keep;
	size_t used;
	unsigned char data[2 * RECORD_MAX];
};

static const char body[] = "Status: 202 Accepted\r\n"
			   "Content-Type: application/json\r\n"
			   "X-Request-Id: 0123456789abcdef01234567\r\n"
			   "Cache-Control: no-store\r\n\r\n"
			   "{\"id\":1234567,\"message\":\"Signal received and queued for "
			   "processing\",\"source\":\"generic\",\"cold_storage\":false}";

static struct connection *connections[DESCRIPTORS];

static size_t put_header(unsigned char *at, int type, const unsigned char *id, size_t length)
{
	const unsigned char header[HEADER] = {
		1,     (unsigned char)type,	     id[0],
		id[1], (unsigned char)(length >> 8), (unsigned char)length};

	memcpy(at, header, HEADER);
	return HEADER;
}

static bool answer(int fd, const unsigned char *id)
{
	unsigned char out[3 * HEADER + sizeof(body) + HEADER];
	size_t length = sizeof(body) - 1, n = put_header(out, STDOUT, id, length);

	memcpy(out + n, body, length);
	n += length;
	n += put_header(out + n, STDOUT, id, 0);
	n += put_header(out + n, END_REQUEST, id, 8);
	memset(out + n, 0, 8);
	n += 8;
	return write(fd, out, n) == (ssize_t)n;
}

/* Takes the whole records off what was read; whether the connection stays. */
static bool take(int fd, struct connection *c)
{
	size_t at = 0;
	bool stays = true;

	while (stays && c->used - at >= HEADER) {
		const unsigned char *record = c->data + at;
		size_t length = (size_t)record[4] << 8 | record[5];

		if (c->used - at < HEADER + length + record[6])
			break;
		if (record[1] == BEGIN_REQUEST)
			c->keep = record[HEADER + 2] & KEEP_CONN;
		else if (record[1] == STDIN && length == 0)
			stays = answer(fd, record + 2) && c->keep;
		at += HEADER + length + record[6];
	}
	c->used -= at;
	memmove(c->data, c->data + at, c->used);
	return stays;
}

static void serve(int fd)
{
	struct connection *c = connections[fd];
	ssize_t n = read(fd, c->data + c->used, sizeof(c->data) - c->used);

	if (n > 0) {
		c->used += (size_t)n;
		if (take(fd, c))
			return;
	}
	close(fd);
}

static bool welcome(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (!connections[fd] && !(connections[fd] = malloc(sizeof(struct connection))))
		return false;
	connections[fd]->used = 0;
	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

int main(void)
{
	struct epoll_event events[64], event = {.events = EPOLLIN, .data.fd = LISTENING};
	int epoll = epoll_create1(0);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, LISTENING, &event))
		return 1;
	for (;;) {
		int n = epoll_wait(epoll, events, sizeof(events) / sizeof(*events), -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd != LISTENING)
				serve(fd);
			else if ((fd = accept(LISTENING, NULL, NULL)) >= DESCRIPTORS ||
				 (fd >= 0 && !welcome(epoll, fd)))
				close(fd);
		}
	}
}
