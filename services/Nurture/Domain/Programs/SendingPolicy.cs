using Lifecycle.Kernel;

namespace Lifecycle.Nurture.Domain.Programs;

/// <summary>What comes of a mail that exceeds a cap.</summary>
public enum CapAction
{
    /// <summary>The mail waits until the cap admits it.</summary>
    Delay = 1,

    /// <summary>The mail is left out; the path goes on.</summary>
    Skip = 2,
}

/// <summary>At most so many mails to one lead within a time, over all programs.</summary>
/// <param name="Count">1 to 100.</param>
/// <param name="Window">1 hour to 366 days.</param>
public sealed record FrequencyCap(int Count, TimeSpan Window);

/// <summary>When the programs of a workspace may mail a lead.</summary>
/// <param name="QuietFrom">From this time of the lead's day; null: no quiet hours.</param>
/// <param name="QuietTo">To this time, exclusive; before <paramref name="QuietFrom"/>: over midnight.</param>
/// <param name="Caps">All of them hold.</param>
/// <param name="OnCap">What comes of a mail beyond a cap.</param>
public sealed record SendingPolicy(TimeOnly? QuietFrom, TimeOnly? QuietTo, IReadOnlyList<FrequencyCap> Caps, CapAction OnCap)
{
    public const int MaxCaps = 5;
    public static readonly TimeSpan MaxWindow = TimeSpan.FromDays(366);

    /// <summary>Nothing is held back.</summary>
    public static readonly SendingPolicy None = new(null, null, [], CapAction.Delay);

    /// <summary>Longest window of the caps; nothing without caps.</summary>
    public TimeSpan LongestWindow => Caps.Count == 0 ? TimeSpan.Zero : Caps.Max(cap => cap.Window);

    /// <summary>Whether a mail may go now.</summary>
    /// <param name="now">Present time.</param>
    /// <param name="zone">The lead's zone.</param>
    /// <param name="sent">Times of the lead's earlier mails within the longest window, in any order.</param>
    public SendVerdict Admit(DateTimeOffset now, TimeZoneInfo zone, IReadOnlyCollection<DateTimeOffset> sent)
    {
        // The cap first: a mail that is left out need not wait for the morning.
        var free = now;
        foreach (var cap in Caps)
        {
            var within = sent.Where(time => time > now - cap.Window).Order().ToList();
            if (within.Count >= cap.Count)
            {
                if (OnCap == CapAction.Skip)
                {
                    return SendVerdict.Skip;
                }

                var until = within[^cap.Count] + cap.Window;
                free = until > free ? until : free;
            }
        }

        var allowed = AfterQuietHours(free, zone);
        return allowed > now ? new(false, allowed) : SendVerdict.Go;
    }

    /// <summary>Collects the faults under <c>quietFrom</c>, <c>quietTo</c> and <c>caps[1].window</c>.</summary>
    public void Check(Violations violations)
    {
        violations.Require(
            (QuietFrom is null) == (QuietTo is null) && (QuietFrom is null || QuietFrom != QuietTo),
            "quietTo", "quietFrom and quietTo are given both or neither, and differ.");
        violations.Require(Caps.Count <= MaxCaps, "caps", $"caps takes at most {MaxCaps}.");
        for (var index = 0; index < Caps.Count; index++)
        {
            violations.Require(Caps[index].Count is > 0 and <= 100, $"caps[{index}].count", $"caps[{index}].count must be 1 to 100.");
            violations.Require(
                Caps[index].Window >= TimeSpan.FromHours(1) && Caps[index].Window <= MaxWindow,
                $"caps[{index}].window", $"caps[{index}].window must be 3600s to {MaxWindow.TotalSeconds:0}s.");
        }
    }

    private DateTimeOffset AfterQuietHours(DateTimeOffset time, TimeZoneInfo zone)
    {
        if (QuietFrom is not { } from || QuietTo is not { } to)
        {
            return time;
        }

        var local = TimeOnly.FromDateTime(TimeZoneInfo.ConvertTime(time, zone).DateTime);
        var isQuiet = from < to ? local >= from && local < to : local >= from || local < to;
        return isQuiet ? LocalTime.Next(time, to, [], zone) : time;
    }
}

/// <summary>Whether a mail goes.</summary>
/// <param name="Goes">It goes now.</param>
/// <param name="Until">When to ask again; null: it goes, or never does.</param>
public readonly record struct SendVerdict(bool Goes, DateTimeOffset? Until)
{
    public static readonly SendVerdict Go = new(true, null);

    public static readonly SendVerdict Skip = new(false, null);
}
