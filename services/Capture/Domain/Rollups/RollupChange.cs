using System.Runtime.InteropServices;
using Lifecycle.Capture.Domain.Leads;
using Lifecycle.Capture.Domain.Visits;
using Lifecycle.Kernel;

namespace Lifecycle.Capture.Domain.Rollups;

/// <summary>Where and when a lead counts.</summary>
public sealed record LeadFacts(DateTimeOffset CreateTime, string CaptureType, string? FormType, Touch Origin)
{
    public static LeadFacts Of(Lead lead) => new(lead.CreateTime, lead.Capture.TypeName, lead.Capture.FormType, lead.FirstTouchOrUnknown);
}

/// <summary>
/// Gathers what changes in the rollups. What a session, a visitor or a lead counts is a function of its facts alone: a change takes away
/// what the facts before counted and adds what those after do, so that any order of changes ends in the counts of the final facts.
/// </summary>
/// <param name="timeZone">Zone whose days, weeks and months are counted by.</param>
public sealed class RollupChange(TimeZoneInfo timeZone)
{
    /// <summary>A rebuild goes through more groups than there are cells.</summary>
    private const int MaxGroups = 10_000;

    private static readonly Granularity[] Granularities = [Granularity.Day, Granularity.Week, Granularity.Month];

    private readonly Dictionary<RollupKey, RollupCounts> cells = [];

    // Sessions that count alike are added up before they are spread over the cells: each counts in some twenty.
    private readonly Dictionary<VisitGroup, RollupCounts> visits = [];

    /// <summary>The changes that are not nothing.</summary>
    public IEnumerable<KeyValuePair<RollupKey, RollupCounts>> Cells
    {
        get
        {
            Spread();
            return cells.Where(cell => cell.Value != default);
        }
    }

    /// <summary>A session began, changed or ended: null where it is not.</summary>
    public void Session(VisitSession? before, VisitSession? after)
    {
        if (before is not null)
        {
            Add(before, new RollupCounts(0, -1, -before.PageViews, 0, 0, 0, 0));
        }

        if (after is not null)
        {
            Add(after, new RollupCounts(0, 1, after.PageViews, 0, 0, 0, 0));
        }
    }

    /// <summary>
    /// A visitor's sessions changed. A visitor counts once in each period and group in which a session began. Sessions that stay as they
    /// are must be among both where they lie in the same months or weeks; others may be left out.
    /// </summary>
    public void Visitor(IEnumerable<VisitSession> before, IEnumerable<VisitSession> after)
    {
        var (held, now) = (before.ToArray(), after.ToArray());
        if (held.Length == 0 && now.Length == 1)
        {
            Add(now[0], new RollupCounts(1, 0, 0, 0, 0, 0, 0));
            return;
        }

        var counted = held.SelectMany(session => Keys(GroupOf(session))).ToHashSet();
        var counts = now.SelectMany(session => Keys(GroupOf(session))).ToHashSet();
        Add(counted.Where(key => !counts.Contains(key)), new RollupCounts(-1, 0, 0, 0, 0, 0, 0));
        Add(counts.Where(key => !counted.Contains(key)), new RollupCounts(1, 0, 0, 0, 0, 0, 0));
    }

    /// <summary>A lead came, changed or went: null where it is not.</summary>
    public void Lead(LeadFacts? before, LeadFacts? after)
    {
        if (before == after)
        {
            return;
        }

        if (before is not null)
        {
            Add(Keys(before), Counts(before) * -1);
        }

        if (after is not null)
        {
            Add(Keys(after), Counts(after));
        }
    }

    private static RollupCounts Counts(LeadFacts lead) => new(
        0, 0, 0, 1, lead.CaptureType == "FORM" ? 1 : 0, lead.CaptureType == "CALL" ? 1 : 0, lead.CaptureType == "CHAT" ? 1 : 0);

    private void Add(IEnumerable<RollupKey> keys, RollupCounts counts)
    {
        foreach (var key in keys)
        {
            cells[key] = cells.GetValueOrDefault(key) + counts;
        }
    }

    private void Add(VisitSession session, RollupCounts counts)
    {
        if (visits.Count >= MaxGroups)
        {
            Spread();
        }

        ref var sum = ref CollectionsMarshal.GetValueRefOrAddDefault(visits, GroupOf(session), out _);
        sum += counts;
    }

    /// <summary>Spreads what was counted so far over the cells; done otherwise when they are asked for.</summary>
    public void Spread()
    {
        foreach (var (group, counts) in visits.Where(visit => visit.Value != default))
        {
            Add(Keys(group), counts);
        }

        visits.Clear();
    }

    private VisitGroup GroupOf(VisitSession session)
    {
        var source = session.Source;
        return new(
            DayOf(session.Start), source.Channel, source.Source, source.Medium, source.Campaign, source.Keyword,
            RollupDimensions.PageOf(session.LandingPage));
    }

    private static IEnumerable<RollupKey> Keys(VisitGroup group) => Keys(group.Day,
    [
        ("", ""), (RollupDimensions.Channel, group.Channel), (RollupDimensions.Source, group.Source),
        (RollupDimensions.Medium, group.Medium), (RollupDimensions.Campaign, group.Campaign), (RollupDimensions.Keyword, group.Keyword),
        (RollupDimensions.LandingPage, group.LandingPage),
    ]);

    private IEnumerable<RollupKey> Keys(LeadFacts lead)
    {
        var origin = lead.Origin;
        return Keys(DayOf(lead.CreateTime),
        [
            ("", ""), (RollupDimensions.Channel, origin.Channel), (RollupDimensions.Source, origin.Source),
            (RollupDimensions.Medium, origin.Medium), (RollupDimensions.Campaign, origin.Campaign),
            (RollupDimensions.Keyword, origin.Keyword), (RollupDimensions.LandingPage, RollupDimensions.PageOf(origin.LandingPage)),
            (RollupDimensions.CaptureType, lead.CaptureType), (RollupDimensions.FormType, lead.FormType),
        ]);
    }

    private DateOnly DayOf(DateTimeOffset time) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(time, timeZone).DateTime);

    private static IEnumerable<RollupKey> Keys(DateOnly day, (string Dimension, string? Value)[] values)
    {
        foreach (var granularity in Granularities)
        {
            var start = StartOf(day, granularity);
            foreach (var (dimension, value) in values)
            {
                yield return new(granularity, dimension, start, value ?? "");
            }
        }
    }

    private static DateOnly StartOf(DateOnly day, Granularity granularity) => granularity switch
    {
        Granularity.Week => day.AddDays(-(((int)day.DayOfWeek + 6) % 7)),
        Granularity.Month => new DateOnly(day.Year, day.Month, 1),
        _ => day,
    };

    /// <summary>What decides where a session counts.</summary>
    private readonly record struct VisitGroup(
        DateOnly Day, string Channel, string? Source, string? Medium, string? Campaign, string? Keyword, string LandingPage);
}
