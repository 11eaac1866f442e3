/*
 * programs/sluice-settings.c - the settings service: requests from a listening socket, or one plain
 * CGI request.
 */
#include "server/program.h"
#include "settings/server.h"
#include "settings/settings.h"

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "sluice-settings",
		.purpose = "Serves the settings page's requests by FastCGI: API keys, templates,\n"
			   "statistics, usage.\n",
		.serve = settings_server_run,
		.try_database = settings_try_database,
		.serve_cgi = settings_server_serve,
	};

	return program_run(&program, argc, argv);
}
