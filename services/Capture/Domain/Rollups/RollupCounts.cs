using Lifecycle.Kernel;

namespace Lifecycle.Capture.Domain.Rollups;

/// <summary>What a row of the rollups counts.</summary>
/// <param name="Granularity">Day, week or month.</param>
/// <param name="Dimension"><c>channel</c> and the like; empty for totals.</param>
/// <param name="Start">First day of the period, in the workspace's zone.</param>
/// <param name="Value">Value of the dimension; empty where it is not set.</param>
public readonly record struct RollupKey(Granularity Granularity, string Dimension, DateOnly Start, string Value);

/// <summary>Counts, or their change.</summary>
public readonly record struct RollupCounts(
    long Visitors, long Sessions, long PageViews, long Leads, long FormLeads, long CallLeads, long ChatLeads)
{
    public static RollupCounts operator +(RollupCounts left, RollupCounts right) => new(
        left.Visitors + right.Visitors, left.Sessions + right.Sessions, left.PageViews + right.PageViews, left.Leads + right.Leads,
        left.FormLeads + right.FormLeads, left.CallLeads + right.CallLeads, left.ChatLeads + right.ChatLeads);

    public static RollupCounts operator *(RollupCounts counts, int factor) => new(
        counts.Visitors * factor, counts.Sessions * factor, counts.PageViews * factor, counts.Leads * factor, counts.FormLeads * factor,
        counts.CallLeads * factor, counts.ChatLeads * factor);

    public static RollupCounts Add(RollupCounts left, RollupCounts right) => left + right;

    public static RollupCounts Multiply(RollupCounts left, int right) => left * right;
}

/// <summary>Names of the dimensions by which rollups count, as callers of the metrics name them.</summary>
public static class RollupDimensions
{
    public const string Channel = "channel";
    public const string Source = "source";
    public const string Medium = "medium";
    public const string Campaign = "campaign";
    public const string Keyword = "keyword";
    public const string LandingPage = "landingPage";
    public const string CaptureType = "captureType";
    public const string FormType = "formType";

    /// <summary>Longest landing page that is a group of its own, characters: its key must fit an index.</summary>
    public const int MaxPage = 300;

    /// <summary>A landing page as a group: without query and fragment, which differ from visit to visit, and cut.</summary>
    public static string PageOf(string? url)
    {
        if (url is null)
        {
            return "";
        }

        var end = url.AsSpan().IndexOfAny('?', '#');
        var page = end < 0 ? url : url[..end];
        if (page.Length <= MaxPage)
        {
            return page;
        }

        // Whole characters, as Postgres counts them.
        var length = 0;
        foreach (var rune in page.EnumerateRunes().Take(MaxPage))
        {
            length += rune.Utf16SequenceLength;
        }

        return page[..length];
    }
}
