/*
 * empty.c - the least a FastCGI program can do: read the body, answer 202, store nothing.
 *
 * The yardstick of the benchmark. It stands in the workers' place, behind the very same web
 * server, started the very same way. One process, one request after the other. It is tuned as our
 * workers are where tuning is possible from outside: it does not wait for the peer to close a
 * connection (LIBFCGI_OS_CLOSE_POLL_TIMEOUT=0, without which it is several times slower), and it
 * reads the body to its end. Its answer is as long as ours and has the same header fields. It
 * closes each connection, as a program of one request after the other must; keeping.c keeps them.
 */
#include <fcgiapp.h>
#include <stdlib.h>

int main(void)
{
	FCGX_Request request;
	char body[4096];

	if (setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "0", 1) ||
	    setenv("LIBFCGI_IS_AF_UNIX_KEEPER_POLL_TIMEOUT", "100", 1) || FCGX_Init() ||
	    FCGX_InitRequest(&request, 0, 0))
		return 1;
	while (FCGX_Accept_r(&request) == 0) {
		while (FCGX_GetStr(body, sizeof(body), request.in) > 0)
			;
		FCGX_PutS(
			"Status: 202 Accepted\r\n"
			"Content-Type: application/json\r\n"
			"X-Request-Id: 0123456789abcdef01234567\r\n"
			"Cache-Control: no-store\r\n\r\n"
			"{\"id\":1234567,\"message\":\"Signal received and queued for processing\","
			"\"source\":\"generic\",\"cold_storage\":false}",
			request.out);
		request.keepConnection = 0;
		FCGX_Finish_r(&request);
	}
	return 0;
}
