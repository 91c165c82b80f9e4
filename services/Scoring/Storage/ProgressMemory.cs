using Lifecycle.Scoring.Domain;
using Microsoft.Extensions.Options;

namespace Lifecycle.Scoring.Storage;

/// <summary>
/// How far the leads are that this process scored last, so that what they do next is counted without reading all they ever did. It holds as
/// long as the lead's row is the one that the same transaction wrote: whoever else changes anything of a lead writes its row, and a
/// transaction that did not commit left none. Safe for concurrent use.
/// </summary>
public sealed class ProgressMemory(IOptions<ScoringOptions> options)
{
    private readonly Lock gate = new();
    private readonly int half = options.Value.MaxRememberedLeads / 2;

    // Whoever is not seen while half of all that fits comes in is forgotten.
    private Dictionary<(Guid WorkspaceId, Guid LeadId), Entry> recent = [];
    private Dictionary<(Guid WorkspaceId, Guid LeadId), Entry> before = [];

    /// <summary>Takes out how far the lead is; null: not known. Whoever goes on from there keeps what comes of it.</summary>
    /// <param name="workspaceId">Its workspace.</param>
    /// <param name="row">Its row, locked, with <see cref="LeadRow.WriteXid"/>.</param>
    /// <param name="model">The model in force.</param>
    public ScoreProgress? Take(Guid workspaceId, LeadRow row, ScoringModel model)
    {
        Entry? entry;
        lock (gate)
        {
            if (!recent.Remove((workspaceId, row.LeadId), out entry) && !before.Remove((workspaceId, row.LeadId), out entry))
            {
                return null;
            }
        }

        return entry.WriteXid == row.WriteXid && entry.Version == row.Version && ReferenceEquals(entry.Progress.Model, model)
            ? entry.Progress
            : null;
    }

    /// <summary>Keeps how far the lead is once the transaction that holds its row's lock has written the row, as it is now.</summary>
    public void Keep(Guid workspaceId, LeadRow row, ScoreProgress progress)
    {
        lock (gate)
        {
            if (recent.Count >= half)
            {
                (before, recent) = (recent, []);
            }

            if (half > 0)
            {
                recent[(workspaceId, row.LeadId)] = new(row.LockXid, row.Version, progress);
            }
        }
    }

    private sealed record Entry(long WriteXid, long Version, ScoreProgress Progress);
}
