/** Templates of more than one embedder: a person may have one under each, while people are moved from one to the next. */
export const embedders = {
  version: 15,
  name: 'embedders',
  statements: [
    // cursor: of the feed's entry that put it; the larger of a person's is the newer one.
    `alter table templates add column cursor bigint`,
    `update templates set cursor = coalesce((select max(feed.cursor) from gallery_feed as feed
      where feed.person_id = templates.person_id and feed.kind = 'put'), 0)`,
    `alter table templates
      alter column cursor set not null,
      drop constraint templates_pkey,
      add primary key (person_id, model_sha256)`,
    'create index templates_model on templates (model_sha256)',
    // model_sha256: whose template is put or retired; null where a person is erased, with all of theirs.
    `alter table gallery_feed
      add column model_sha256 text,
      drop constraint gallery_feed_kind_check,
      add check (kind in ('put', 'erase', 'retire'))`,
    `update gallery_feed set model_sha256 = templates.model_sha256 from templates
      where templates.person_id = gallery_feed.person_id and gallery_feed.kind = 'put'`,
    `alter table gallery_feed add check ((model_sha256 is null) = (kind = 'erase'))`,
    'create index gallery_feed_model on gallery_feed (model_sha256, cursor)',
    // What the terminal said last: a JSON array of those it can compare with. Null: it has not said.
    'alter table terminals add column embedders text',
    // Null in results of before there were several, and where nothing was compared. pin_right: the transaction that relied on it came
    // with the right PIN.
    `alter table match_results
      add column model_sha256 text,
      add column pin_right boolean not null default false`,
    `create index match_results_proven on match_results (person_id, recorded_at) where pin_right`,
  ],
} as const;
