/* look: the addresses of a name as the C library's getaddrinfo answers them, in order, on one line. */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int before(const void *a, const void *b) { return strcmp(a, b); }

int main(int argc, char **argv)
{
	struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *all, *i;
	static char text[64][INET_ADDRSTRLEN];
	int n = 0, err;

	if (argc != 2)
		return 2;
	err = getaddrinfo(argv[1], NULL, &hints, &all);
	if (err) {
		puts(gai_strerror(err));
		return 1;
	}
	for (i = all; i && n < 64; i = i->ai_next)
		inet_ntop(AF_INET, &((struct sockaddr_in *)i->ai_addr)->sin_addr, text[n++], sizeof text[0]);
	qsort(text, n, sizeof text[0], before);
	for (int k = 0; k < n; k++)
		printf("%s%s", k ? " " : "", text[k]);
	puts("");
	return 0;
}
