using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Lifecycle.Conversion.Storage.Migrations
{
    /// <summary>
    /// The past stays as it was, whoever writes: entries of the ledgers are never altered or removed, nor are closed deals. An erasure may take
    /// words away; a merge says under which lead's name a deal stands.
    /// </summary>
    [DbContext(typeof(ConversionDbContext))]
    [Migration("20261122020854_FrozenHistory")]
    public partial class FrozenHistory : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
            """
            create function refuse_changed_entry() returns trigger language plpgsql as $$
            declare
              before jsonb := to_jsonb(old);
              after jsonb;
              -- The trigger's arguments name the columns that may be emptied.
              words text[] := coalesce(tg_argv, array[]::text[]);
            begin
              if tg_op = 'UPDATE' then
                after := to_jsonb(new);
                if before - words = after - words and not exists (
                  select 1 from unnest(words) as word(name)
                  where after ->> word.name is not null and after ->> word.name is distinct from before ->> word.name) then
                  return new;
                end if;
              end if;
              raise exception 'An entry of % stays as it was made.', tg_table_name using errcode = 'restrict_violation';
            end $$;

            create function refuse_changed_deal() returns trigger language plpgsql as $$
            declare
              free text[] := array['lead_id', 'contacts', 'reopened_as', 'name', 'account', 'lose_reason'];
            begin
              if tg_op = 'UPDATE' and to_jsonb(old) - free = to_jsonb(new) - free
                and (old.reopened_as is null or new.reopened_as = old.reopened_as)
                and new.name in (old.name, 'Erased')
                and (new.account is null or new.account = old.account)
                and (new.lose_reason is null or new.lose_reason = old.lose_reason) then
                return new;
              end if;
              raise exception 'Opportunity % is %, which is final.', old.id, old.state using errcode = 'restrict_violation';
            end $$;

            create trigger frozen before update or delete on stage_change for each row execute function refuse_changed_entry('note');
            create trigger frozen before update or delete on opportunity_change for each row execute function refuse_changed_entry('reason');
            create trigger frozen before update or delete on handoff_assignment for each row execute function refuse_changed_entry();
            create trigger frozen before update or delete on opportunity for each row when (old.state <> 'OPEN')
              execute function refuse_changed_deal();
            """);

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
            """
            drop trigger frozen on stage_change;
            drop trigger frozen on opportunity_change;
            drop trigger frozen on handoff_assignment;
            drop trigger frozen on opportunity;
            drop function refuse_changed_entry();
            drop function refuse_changed_deal();
            """);
    }
}
