using System.Globalization;
using Lifecycle.Scoring.Domain;

namespace Lifecycle.Scoring.Live;

/// <summary>What a score needs to be told at any time, as Redis keeps it and as its row has it.</summary>
/// <param name="LeadId">Lead.</param>
/// <param name="Version">Grows with each change.</param>
/// <param name="ModelVersion">Version of the model that gave the points.</param>
/// <param name="Qualified">Whether the lead counts as qualified.</param>
/// <param name="State">The sums.</param>
/// <param name="Until">From then on points begin or end, and the sums hold no more; null: they always do.</param>
public sealed record LiveScore(
    Guid LeadId, long Version, int ModelVersion, bool Qualified, ScoreState State, DateTimeOffset? Until = null)
{
    /// <summary>Ranks count half-lives since then; any fixed instant does.</summary>
    internal static readonly DateTimeOffset Epoch = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>
    /// The instant whose points are told at another: senders' clocks may be ahead, and nothing is worth more than was given for it.
    /// </summary>
    public DateTimeOffset ReadAt(DateTimeOffset now) => now > State.At ? now : State.At;

    /// <summary>
    /// Where the lead stands among others. Total = constant + decaying points; leads whose constant, rounded up to whole points, and
    /// longest half-life h are the same form a range, and within a range the order by decaying points never changes as time passes: b
    /// points at t rank log2(b) + t / h, in half-lives. So a range needs no update for decay. With several half-lives the rank stands for a
    /// bound from above.
    /// </summary>
    public (string Range, double Rank) Place()
    {
        var ceiling = Math.Ceiling(State.Fit.Constant + State.Behavior.Constant + State.Bant.Constant);
        var positive = State.Fit.Buckets.Concat(State.Behavior.Buckets).Concat(State.Bant.Buckets).Where(bucket => bucket.Points > 0)
            .ToArray();
        if (positive.Length == 0)
        {
            return ($"{ceiling.ToString(CultureInfo.InvariantCulture)}|0", 0);
        }

        var halfLife = positive.Max(bucket => bucket.HalfLifeSeconds);
        return (
            $"{ceiling.ToString(CultureInfo.InvariantCulture)}|{halfLife.ToString("R", CultureInfo.InvariantCulture)}",
            Math.Log2(positive.Sum(bucket => bucket.Points)) + ((State.At - Epoch).TotalSeconds / halfLife));
    }

    /// <summary>Most that the total of a lead at that place can be at a time.</summary>
    public static double Bound(string range, double rank, DateTimeOffset time)
    {
        var parts = range.Split('|');
        var ceiling = double.Parse(parts[0], CultureInfo.InvariantCulture);
        var halfLife = double.Parse(parts[1], CultureInfo.InvariantCulture);
        return halfLife == 0 ? ceiling : ceiling + Math.Pow(2, rank - ((time - Epoch).TotalSeconds / halfLife));
    }
}
