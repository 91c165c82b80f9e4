using Npgsql;

namespace Lifecycle.Postgres.Migrate;

/// <summary>
/// Row-level security by convention: every table of the schema with a column <c>workspace_id</c>, partitions too, shows and takes only rows
/// of the transaction's workspace. Without one set, nothing is seen. FORCE holds the owner to it as well, hence views and functions.
/// </summary>
internal static class Tenancy
{
    public static async Task Apply(NpgsqlConnection connection, string schema, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Script(schema), connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Changes only what differs: <c>alter table</c> takes a lock that a running service would notice.</summary>
    private static string Script(string schema) =>
        $"""
        do $script$
        declare
          item record;
        begin
          for item in
            select c.oid::regclass as name, c.relrowsecurity and c.relforcerowsecurity as forced,
              exists (select 1 from pg_policy p where p.polrelid = c.oid and p.polname = 'workspace_isolation') as has_policy
            from pg_class c
            join pg_attribute a on a.attrelid = c.oid and a.attname = 'workspace_id' and not a.attisdropped
            where c.relnamespace = '{schema}'::regnamespace and c.relkind in ('r', 'p')
          loop
            if not item.forced then
              execute format('alter table %s enable row level security, force row level security', item.name);
            end if;
            if not item.has_policy then
              execute format('create policy workspace_isolation on %s'
                ' using (workspace_id = nullif(current_setting(''app.workspace_id'', true), '''')::uuid)'
                ' with check (workspace_id = nullif(current_setting(''app.workspace_id'', true), '''')::uuid)', item.name);
            end if;
          end loop;
        end $script$;
        grant select, insert, update, delete on all tables in schema {schema} to {schema}_app;
        grant usage, select on all sequences in schema {schema} to {schema}_app;
        grant execute on all functions in schema {schema} to {schema}_app;
        revoke insert, update, delete on migration_history from {schema}_app;
        """;
}
