"""The backends of the workers, and how many there are at most while a fault lasts."""

import threading

import psycopg2

INTAKE = ("select pid from pg_stat_activity where usename = 'sluice_intake'"
          " and backend_type = 'client backend'")


def end_backends(stack):
    stack.psql(f"select pg_terminate_backend(pid) from ({INTAKE}) as intake")


class Backends:
    """most is the largest number that was seen until the end of the with statement."""

    def __init__(self, stack):
        self.stack, self.most = stack, 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.stopping.set()
        self.thread.join()

    def run(self):
        connection = self.stack.connect()  # before the fault
        with connection.cursor() as cursor:
            while not self.stopping.wait(0.02):
                try:
                    cursor.execute(f"select count(*) from ({INTAKE}) as intake")
                    self.most = max(self.most, cursor.fetchone()[0])
                except psycopg2.Error:
                    break
        connection.close()
