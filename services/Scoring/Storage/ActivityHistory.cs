using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Scoring.Storage;

/// <summary>Reads activities of many leads with as little work per row as can be.</summary>
internal static class ActivityHistory
{
    /// <summary>Activities by lead, each lead's in order of time, then id; a lead without any is absent.</summary>
    public static async Task<Dictionary<Guid, List<Activity>>> Read(Transaction<ScoringDbContext> tx, IReadOnlyCollection<Guid> leadIds)
    {
        var histories = new Dictionary<Guid, List<Activity>>();
        if (leadIds.Count == 0)
        {
            return histories;
        }

        // Through (workspace_id, lead_id, time): the leads' rows one lead after another.
        await using var command = new NpgsqlCommand(
            """
            select lead_id, activity_id, type, name, time, session_id, url, properties from activity
            where workspace_id = $1 and lead_id = any($2)
            """,
            tx.Connection);
        command.Parameters.Add(new NpgsqlParameter { Value = tx.WorkspaceId, NpgsqlDbType = NpgsqlDbType.Uuid });
        command.Parameters.Add(new NpgsqlParameter { Value = leadIds.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
        await using var reader = await command.ExecuteReaderAsync(tx.CancellationToken);
        var (last, history) = (Guid.Empty, new List<Activity>());
        while (await reader.ReadAsync(tx.CancellationToken))
        {
            var lead = reader.GetGuid(0);
            if (lead != last)
            {
                (last, history) = (lead, histories.TryGetValue(lead, out var begun) ? begun : histories[lead] = []);
            }

            history.Add(new(
                reader.GetGuid(1), reader.GetString(2), reader.GetString(3), new DateTimeOffset(reader.GetDateTime(4)),
                reader.IsDBNull(5) ? null : reader.GetGuid(5), reader.IsDBNull(6) ? null : reader.GetString(6),
                new LazyProperties(reader.GetString(7))));
        }

        foreach (var begun in histories.Values)
        {
            begun.Sort(Activity.InOrder);
        }

        return histories;
    }
}
