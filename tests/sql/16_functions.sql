-- What plpgsql_check finds in the functions: nothing. (Of the functions with a polymorphic argument it
-- cannot know the types.)
LOAD 'plpgsql_check'; -- before anything in PL/pgSQL runs: plan() does
BEGIN;
SELECT plan(1);

CREATE EXTENSION plpgsql_check;
SELECT is_empty($$
    SELECT p.oid::regprocedure, c
    FROM pg_proc AS p
    JOIN pg_language AS l ON l.oid = p.prolang
    CROSS JOIN LATERAL plpgsql_check_function(p.oid, other_warnings => true, extra_warnings => false,
        performance_warnings => false) AS c
    WHERE l.lanname = 'plpgsql' AND p.pronamespace = 'sluice'::regnamespace
        AND NOT 'anyelement'::regtype = ANY (p.proargtypes)
        -- Steps of maintenance all take max_rows, also those that have no use for it.
        AND c !~ 'unused parameter "max_rows"'
        -- A record that dynamic SQL fills has no columns before it runs.
        AND c !~ 'cannot determinate a result of dynamic SQL|risk of related false alarms|use dynamic SQL and record type'
        -- Clocks, sleeping, sequences and dynamic SQL are volatile, but change nothing.
        AND c !~ 'marked as STABLE, but expression is VOLATILE|^Detail: there is a risk of unwanted behave|^Hint: When you fix this issue, please, recheck|^Context: (at assignment|during statement block)'
$$, 'plpgsql_check has nothing to say');

SELECT * FROM finish();
ROLLBACK;
