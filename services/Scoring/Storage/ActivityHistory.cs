using System.Collections.ObjectModel;
using System.Text.Json;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Scoring.Storage;

/// <summary>Reads activities of many leads with as little work per row as can be.</summary>
internal static class ActivityHistory
{
    private static readonly ReadOnlyDictionary<string, JsonElement> None = ReadOnlyDictionary<string, JsonElement>.Empty;

    /// <summary>Activities by lead, each lead's in order of time, then id; a lead without any is absent.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="leadIds">The leads.</param>
    /// <param name="models">
    /// Whose rules alone look at the activities: properties that none of them reads are left out. None: all are read.
    /// </param>
    public static async Task<Dictionary<Guid, List<Activity>>> Read(
        Transaction<ScoringDbContext> tx, IReadOnlyCollection<Guid> leadIds, params IReadOnlyList<ScoringModel> models)
    {
        var histories = new Dictionary<Guid, List<Activity>>();
        if (leadIds.Count == 0)
        {
            return histories;
        }

        // Through (workspace_id, lead_id, time): the leads' rows one lead after another.
        await using var command = new NpgsqlCommand(
            """
            select lead_id, activity_id, type, name, time, session_id, url,
                case when type <> all($3) and properties <> '{}' then properties end
            from activity
            where workspace_id = $1 and lead_id = any($2)
            """,
            tx.Connection);
        command.Parameters.Add(new NpgsqlParameter { Value = tx.WorkspaceId, NpgsqlDbType = NpgsqlDbType.Uuid });
        command.Parameters.Add(new NpgsqlParameter { Value = leadIds.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
        var unread = models.Count == 0
            ? []
            : models.Select(model => model.PropertyFreeTypes).Aggregate((left, right) => left.Intersect(right).ToArray());
        command.Parameters.Add(Bulk.Array(NpgsqlDbType.Text, unread.ToArray()));
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
                reader.IsDBNull(7) ? None : new LazyProperties(reader.GetString(7))));
        }

        // They come in order of time from the index, mostly.
        foreach (var begun in histories.Values.Where(begun => !Activity.AreInOrder(begun)))
        {
            begun.Sort(Activity.InOrder);
        }

        return histories;
    }
}
