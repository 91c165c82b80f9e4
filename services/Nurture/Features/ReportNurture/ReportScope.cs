using Lifecycle.Kernel;

namespace Lifecycle.Nurture.Features.ReportNurture;

/// <summary>Instants of a report's days in the workspace's zone.</summary>
internal static class ReportScope
{
    /// <summary>Both days given. INVALID_ARGUMENT names every fault.</summary>
    public static (DateTimeOffset From, DateTimeOffset To) Required(string from, string to, TimeZoneInfo timeZone, Violations violations)
    {
        var (hasFrom, hasTo) = (violations.RequireDate(from, "from", out var first), violations.RequireDate(to, "to", out var last));
        violations.Require(!hasFrom || !hasTo || first < last, "to", "to must be later than from.");
        return (ReportPeriod.Midnight(first, timeZone), ReportPeriod.Midnight(last, timeZone));
    }

    /// <summary>Either may be empty: from the start, up to now.</summary>
    public static (DateTimeOffset From, DateTimeOffset To) Optional(
        string from, string to, TimeZoneInfo timeZone, Violations violations, DateTimeOffset now)
    {
        var first = from.Length > 0 && violations.RequireDate(from, "from", out var day)
            ? ReportPeriod.Midnight(day, timeZone)
            : DateTimeOffset.UnixEpoch;
        var last = to.Length > 0 && violations.RequireDate(to, "to", out day) ? ReportPeriod.Midnight(day, timeZone) : now.AddDays(1);
        return (first, last);
    }

    /// <summary>An id that may be empty.</summary>
    public static Guid? OptionalId(string text, string field, Violations violations) =>
        text.Length > 0 && violations.RequireId(text, field, out var id) ? id : null;
}
