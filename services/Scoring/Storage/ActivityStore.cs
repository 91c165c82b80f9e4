using System.Collections.ObjectModel;
using System.Text.Json;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Scoring.Storage;

/// <summary>Records what leads did.</summary>
internal static class ActivityStore
{
    private const string Insert =
        """
        insert into activity (workspace_id, activity_id, lead_id, type, name, time, session_id, url, properties)
        select $1, * from unnest($2, $3, $4, $5, $6, $7, $8, $9)
        """;

    private static readonly ReadOnlyDictionary<string, JsonElement> None = ReadOnlyDictionary<string, JsonElement>.Empty;

    /// <summary>Records activities of leads whose locks are held; those known before are left as they are.</summary>
    /// <param name="tx">The transaction.</param>
    /// <param name="came">By lead: how far it was, if that is known, and activities, each once, in any order.</param>
    /// <param name="model">The model in force.</param>
    /// <returns>What is new, of leads that have anything new.</returns>
    public static async Task<Dictionary<Guid, LeadNews>> Add(
        Transaction<ScoringDbContext> tx, IReadOnlyCollection<(Guid LeadId, ScoreProgress? Progress, List<Activity> Activities)> came,
        ScoringModel model)
    {
        var news = new Dictionary<Guid, LeadNews>(came.Count);
        var (certain, doubtful) = (new List<(Guid LeadId, Activity Activity)>(), new List<(Guid LeadId, Activity Activity)>());
        foreach (var (lead, progress, activities) in came)
        {
            activities.Sort(Activity.InOrder);
            var (from, until) = (activities[0].Time, activities[^1].Time);
            // What comes after all that is known of the lead is new, and nobody has to ask. If it belonged to another lead its key would
            // end the transaction: the next attempt asks, for a progress is taken once. Properties that somebody reads are read as Postgres
            // keeps them.
            if (progress?.LastFact < from && activities.TrueForAll(activity => model.PropertyFreeTypes.Contains(activity.Type)))
            {
                news[lead] = new(from, until, activities, progress);
                certain.AddRange(activities.Select(activity => (lead, activity)));
            }
            else
            {
                news[lead] = new(from, until, [], progress);
                doubtful.AddRange(activities.Select(activity => (lead, activity)));
            }
        }

        if (certain.Count > 0)
        {
            tx.Close(Insert, Columns(certain));
        }

        if (doubtful.Count > 0)
        {
            var added = await AddNew(tx, doubtful, model);
            foreach (var (lead, activity) in doubtful)
            {
                if (added.TryGetValue(activity.Id, out var properties))
                {
                    news[lead].Added.Add(activity with { Properties = properties is null ? None : new LazyProperties(properties) });
                }
            }

            foreach (var lead in doubtful.Select(entry => entry.LeadId)
                .Where(lead => news.TryGetValue(lead, out var ofLead) && ofLead.Added.Count == 0))
            {
                news.Remove(lead);
            }
        }

        return news;
    }

    /// <summary>Records what is not known.</summary>
    /// <returns>Ids of the new activities, with their properties where somebody reads them.</returns>
    private static async Task<Dictionary<Guid, string?>> AddNew(
        Transaction<ScoringDbContext> tx, List<(Guid LeadId, Activity Activity)> activities, ScoringModel model)
    {
        await using var command = new NpgsqlCommand(
            $"{Insert} on conflict do nothing returning activity_id, case when type <> all($10) and properties <> '{{}}' then properties end",
            tx.Connection);
        command.Parameters.Add(Bulk.Value(tx.WorkspaceId));
        command.Parameters.AddRange(Columns(activities));
        command.Parameters.Add(Bulk.Array(NpgsqlDbType.Text, model.PropertyFreeTypes.ToArray()));
        var added = new Dictionary<Guid, string?>();
        await using var reader = await command.ExecuteReaderAsync(tx.CancellationToken);
        while (await reader.ReadAsync(tx.CancellationToken))
        {
            added.Add(reader.GetGuid(0), reader.IsDBNull(1) ? null : reader.GetString(1));
        }

        return added;
    }

    private static NpgsqlParameter[] Columns(List<(Guid LeadId, Activity Activity)> activities) =>
    [
        Column.Of(NpgsqlDbType.Uuid, activities, entry => entry.Activity.Id),
        Column.Of(NpgsqlDbType.Uuid, activities, entry => entry.LeadId),
        Column.Of(NpgsqlDbType.Text, activities, entry => entry.Activity.Type),
        Column.Of(NpgsqlDbType.Text, activities, entry => entry.Activity.Name),
        Column.Of(NpgsqlDbType.TimestampTz, activities, entry => entry.Activity.Time.UtcDateTime),
        Column.Of(NpgsqlDbType.Uuid, activities, entry => entry.Activity.SessionId),
        Column.Of(NpgsqlDbType.Text, activities, entry => entry.Activity.Url),
        Column.Of(NpgsqlDbType.Jsonb, activities, entry => StoredText.CleanJson(JsonSerializer.Serialize(entry.Activity.Properties))),
    ];
}
