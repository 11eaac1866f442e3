-- The latest state of each product org. Intake does not keep it: requests about one product org
-- would wait for each other, and its row would gather dead versions during a dump. sluicectl
-- maintain folds the updates into a table, and the view product_org_current adds those that have
-- come since.

SET LOCAL ROLE sluice_owner;

CREATE TABLE sluice.product_org_state (
    organization_id bigint NOT NULL,
    product_org_id text COLLATE "C" NOT NULL,
    name text,
    plan_id text,
    plan_name text,
    user_count bigint,
    mrr bigint,
    trial_status text,
    last_active_at timestamptz,
    feature_flags jsonb,
    custom jsonb,
    received_at timestamptz NOT NULL,
    id bigint NOT NULL,
    key_id bigint NOT NULL,
    PRIMARY KEY (organization_id, product_org_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE sluice.product_org_state IS
    'The latest update of each product org as of the last sluicectl maintain. Read '
    'product_org_current, which adds newer updates. Kept for ever, even if the update itself is '
    'past retention.';
COMMENT ON COLUMN sluice.product_org_state.organization_id IS 'organization.id';
COMMENT ON COLUMN sluice.product_org_state.product_org_id IS 'as in product_org_update';
COMMENT ON COLUMN sluice.product_org_state.name IS 'as in product_org_update';
COMMENT ON COLUMN sluice.product_org_state.plan_id IS 'as in product_org_update';
COMMENT ON COLUMN sluice.product_org_state.plan_name IS 'as in product_org_update';
COMMENT ON COLUMN sluice.product_org_state.user_count IS 'as in product_org_update';
COMMENT ON COLUMN sluice.product_org_state.mrr IS 'as in product_org_update, in the smallest unit of organization.currency';
COMMENT ON COLUMN sluice.product_org_state.trial_status IS 'as in product_org_update';
COMMENT ON COLUMN sluice.product_org_state.last_active_at IS 'as in product_org_update';
COMMENT ON COLUMN sluice.product_org_state.feature_flags IS 'as in product_org_update';
COMMENT ON COLUMN sluice.product_org_state.custom IS 'as in product_org_update';
COMMENT ON COLUMN sluice.product_org_state.received_at IS 'when the update was received';
COMMENT ON COLUMN sluice.product_org_state.id IS
    'product_org_update.id, as long as that row is kept';
COMMENT ON COLUMN sluice.product_org_state.key_id IS 'the key it was sent with; api_key.id';

CREATE TABLE sluice.product_org_fold (
    only_row boolean PRIMARY KEY DEFAULT true
        CONSTRAINT product_org_fold_only_row_check CHECK (only_row),
    folded_xact bigint NOT NULL
);
COMMENT ON TABLE sluice.product_org_fold IS
    'How far product_org_update has been folded into product_org_state. One row.';
COMMENT ON COLUMN sluice.product_org_fold.only_row IS 'always true';
COMMENT ON COLUMN sluice.product_org_fold.folded_xact IS 'rows with a lower stored_xact are folded';
COMMENT ON CONSTRAINT product_org_fold_only_row_check ON sluice.product_org_fold IS 'one row';
INSERT INTO sluice.product_org_fold (folded_xact) VALUES (0);

RESET ROLE;
