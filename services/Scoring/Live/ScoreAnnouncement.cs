namespace Lifecycle.Scoring.Live;

/// <summary>What replicas tell each other through Postgres when scores have changed, or, without leads, models.</summary>
public sealed record ScoreAnnouncement(Guid WorkspaceId, IReadOnlyList<Guid> LeadIds)
{
    /// <summary>Name for <c>listen</c>.</summary>
    public const string Channel = "scoring_score";

    /// <summary>A notification has less than 8,000 bytes.</summary>
    public const int MaxLeads = 200;

    public override string ToString() => $"{WorkspaceId:N}{string.Concat(LeadIds.Select(id => id.ToString("N")))}";

    /// <summary>Null for a text that is none.</summary>
    public static ScoreAnnouncement? Parse(string payload)
    {
        const int Length = 32;
        if (payload.Length == 0 || payload.Length % Length != 0)
        {
            return null;
        }

        var ids = new List<Guid>();
        for (var at = 0; at < payload.Length; at += Length)
        {
            if (!Guid.TryParseExact(payload.AsSpan(at, Length), "N", out var id))
            {
                return null;
            }

            ids.Add(id);
        }

        return new(ids[0], ids[1..]);
    }
}
