using Lifecycle.Conversion.Domain.Attribution;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Rpc;

namespace Lifecycle.Conversion.Features.Reports;

/// <summary>A checked question for a report.</summary>
/// <param name="Granules">Points; one for the whole period where no granularity was asked for.</param>
/// <param name="IsCut">Whether a granularity was asked for.</param>
/// <param name="Dimensions">What rows are grouped by.</param>
/// <param name="LookbackDays">Window of the request; null: as the workspace has set it for the kind.</param>
/// <param name="Kind">What the attribution report credits.</param>
/// <param name="Granularity">Length of the points; null where the period is not cut.</param>
/// <param name="IsSnapshot">The funnel counts only what had happened when the point ended.</param>
public sealed record ReportQuery(
    Caller Caller, IReadOnlyList<Granule> Granules, bool IsCut, IReadOnlyList<string> Dimensions, AttributionKind Model,
    double HalfLifeDays, int? LookbackDays = null, ConversionKind Kind = ConversionKind.Customer, bool IsSnapshot = false,
    Kernel.Granularity? Granularity = null)
{
    /// <summary>Longest look-back window.</summary>
    public const int MaxLookbackDays = 3650;

    /// <summary>Most points of one report.</summary>
    public const int MaxGranules = 120;

    /// <summary>Dimensions that rows can be grouped by.</summary>
    public static IReadOnlyList<string> AllDimensions { get; } = ["channel", "source", "medium", "campaign", "keyword", "landingPage"];

    /// <summary>The whole period as one point.</summary>
    public Granule Whole => new(Granules[0].Start, Granules[^1].End, Granules[0].From, Granules[^1].To);

    /// <summary>Checks the request; INVALID_ARGUMENT names every fault.</summary>
    /// <param name="defaultDimensions">What to group by where nothing is asked for.</param>
    public static Result<ReportQuery> Parse(GetReportRequest request, Caller caller, params string[] defaultDimensions)
    {
        var violations = new Violations();
        var isCut = request.Granularity != Common.V1.Granularity.Unspecified;
        var period = ReportPeriod.Create(
            request.From, request.To, isCut ? request.Granularity.ToKernel() : Kernel.Granularity.Year, caller.TimeZone);
        foreach (var violation in period.Error?.Violations ?? [])
        {
            violations.Add(violation.Field, violation.Message);
        }

        if (period.Succeeded && isCut)
        {
            violations.Require(
                period.Value.Granules.Count <= MaxGranules,
                "granularity",
                $"The period has {period.Value.Granules.Count} points; a report has at most {MaxGranules}. Ask for a shorter period or a coarser granularity.");
        }

        var dimensions = ParseDimensions(violations, request.GroupBy);
        violations.Require(Enum.IsDefined(request.Model), "model", "model must name an attribution model such as LINEAR.");
        violations.Require(Enum.IsDefined(request.ConversionKind), "conversionKind", "conversionKind must be LEAD, MQL, SQL or CUSTOMER.");
        violations.Require(Enum.IsDefined(request.View), "view", "view must be COHORT or SNAPSHOT.");
        CheckLookback(violations, request.HasLookbackDays, request.LookbackDays, "lookbackDays");
        EvaluateAttribution.EvaluateAttribution.CheckHalfLife(violations, request.HasHalfLifeDays, request.HalfLifeDays);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        var granules = period.Value.Granules;
        return new ReportQuery(
            caller,
            isCut ? granules : [new Granule(granules[0].Start, granules[^1].End, granules[0].From, granules[^1].To)],
            isCut,
            dimensions.Length > 0 ? dimensions : defaultDimensions,
            request.Model == AttributionModel.Unspecified ? AttributionKind.FirstTouch : (AttributionKind)(int)request.Model,
            request.HasHalfLifeDays ? request.HalfLifeDays : AttributionModels.DefaultHalfLifeDays,
            request.HasLookbackDays ? request.LookbackDays : null,
            request.ConversionKind == ConversionKind.Unspecified ? ConversionKind.Customer : request.ConversionKind,
            request.View == FunnelView.Snapshot,
            isCut ? request.Granularity.ToKernel() : null);
    }

    /// <summary>The dimensions asked for; each that is unknown is a violation.</summary>
    public static string[] ParseDimensions(Violations violations, IEnumerable<string> groupBy)
    {
        var dimensions = groupBy
            .SelectMany(text => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .Distinct().ToArray();
        foreach (var unknown in dimensions.Except(AllDimensions))
        {
            violations.Add("groupBy", $"Reports cannot group by {unknown}; they can by {string.Join(", ", AllDimensions)}.");
        }

        return dimensions;
    }

    /// <summary>Names the fault of a window outside 1 to <see cref="MaxLookbackDays"/> days.</summary>
    public static void CheckLookback(Violations violations, bool isGiven, int days, string field) =>
        violations.Require(
            !isGiven || days is >= 1 and <= MaxLookbackDays, field, $"{field} must lie between 1 and {MaxLookbackDays} days.");

    /// <summary>First day of a point as the reports tell it; empty where the period is not cut.</summary>
    public string Start(int granule) => IsCut ? Granules[granule].Start.ToString("yyyy-MM-dd", null) : "";
}

/// <summary>Values of several dimensions as one text, for SQL and dictionaries.</summary>
public static class GroupKeys
{
    private const char Separator = '\u001f';

    /// <summary>SQL text of a group's key: the dimensions' columns of <paramref name="alias"/>, unknown as empty text.</summary>
    /// <param name="dimensions">Checked names.</param>
    public static string Sql(string alias, IReadOnlyList<string> dimensions) => dimensions.Count == 0
        ? "''::text"
        : string.Join(" || chr(31) || ", dimensions.Select(dimension => Value(alias, dimension)));

    /// <summary>SQL text of one dimension; spend (<c>s</c>) has no landing page.</summary>
    /// <param name="dimension">A checked name.</param>
    public static string Value(string alias, string dimension) => dimension switch
    {
        "landingPage" when alias is "s" => "''::text",
        "landingPage" when alias is "p" => $"conversion.page_of({alias}.landing_page)",
        "landingPage" => $"coalesce({alias}.landing_page, '')",
        _ => $"coalesce({alias}.{dimension}, '')",
    };

    public static string Of(IEnumerable<string?> values) => string.Join(Separator, values.Select(value => value ?? ""));

    /// <summary>The values again, by dimension.</summary>
    public static Dictionary<string, string> Split(string key, IReadOnlyList<string> dimensions) =>
        dimensions.Zip(key.Split(Separator)).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal);
}
