/*
 * http/client.h - the address of the client that sent a request.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "base/network.h"
#include "http/request.h"

/*
 * The web server's peer (REMOTE_ADDR), or, if that is one of the proxies, the right-most address of
 * X-Forwarded-For that is not: each proxy appends its own peer, so what is further to the left may
 * be made up. Behind proxies alone it is the first of them. An address may have a port, and
 * brackets if it is of IPv6. Unknown without a peer (a Unix socket), if the header is sent twice,
 * which web servers that join headers never pass on, and if a proxy says anything but an address.
 */
struct address http_client_address(const struct http_request *request,
				   const struct network_list *proxies);

#endif
