using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Lifecycle.Kernel.Expressions;
using Lifecycle.Nurture.Domain.Segments;

namespace Nurture.UnitTests;

/// <summary>Segments of days: birthdays and the ends of contracts, in the lead's zone, by their timers alone.</summary>
public sealed class DateSegmentTests
{
    private static readonly Guid Segment = Guid.Parse("01990000-0000-7000-8000-000000000001");

    [Theory]
    // 29 February returns on the 28th, and on itself in 2028. New York is five hours behind UTC in winter.
    [InlineData("anniversary(lead.traits.day)", "1992-02-29", "America/New_York", "2026-01-01T00:00Z",
        "+2026-02-28T05:00Z -2026-03-01T05:00Z +2027-02-28T05:00Z -2027-03-01T05:00Z +2028-02-29T05:00Z -2028-03-01T05:00Z")]
    // A week before it, over the end of the year.
    [InlineData("anniversary(lead.traits.day, -7d)", "1980-01-03", "UTC", "2026-06-01T00:00Z",
        "+2026-12-27T00:00Z -2026-12-28T00:00Z +2027-12-27T00:00Z -2027-12-28T00:00Z")]
    // Summer time began in Berlin on 29 March: the day before has its midnight an hour later in UTC.
    [InlineData(
        "on_date(lead.traits.day, -30d)", "2026-04-30", "Europe/Berlin", "2026-03-01T00:00Z", "+2026-03-30T22:00Z -2026-03-31T22:00Z")]
    [InlineData("on_date(lead.traits.day)", "2026-03-29", "Europe/Berlin", "2026-03-01T00:00Z", "+2026-03-28T23:00Z -2026-03-29T22:00Z")]
    // A time begins with its day; the zone of a lead that tells none is the workspace's, here Tokyo.
    [InlineData("on_date(lead.traits.day, 1d)", "2026-05-01T23:30:00Z", null, "2026-03-01T00:00Z", "+2026-05-01T15:00Z -2026-05-02T15:00Z")]
    // Past, unknown and no date: never.
    [InlineData("on_date(lead.traits.day)", "2026-02-28", "UTC", "2026-03-01T00:00Z", "")]
    [InlineData("on_date(lead.traits.other)", "2026-04-30", "UTC", "2026-03-01T00:00Z", "")]
    [InlineData("anniversary(lead.traits.day)", "soon", "UTC", "2026-03-01T00:00Z", "")]
    // The first return is a year later; the segment may hold more than the day.
    [InlineData("anniversary(lead.createTime) and lead.traits.plan = 'pro'", "", "UTC", "2026-03-01T00:00Z",
        "+2027-02-01T00:00Z -2027-02-02T00:00Z +2028-02-01T00:00Z -2028-02-02T00:00Z")]
    public void Timers_Alone_MoveTheLeadOnItsDays(string condition, string day, string? zone, string from, string expected)
    {
        var moves = Walk(condition, Lead(day, zone), Time(from)).Take(expected.Split(' ').Length);

        Assert.Equal(expected, string.Join(' ', moves.Select(move => (move.Entered ? "+" : "-") + Text(move.Time))));
    }

    [Fact]
    public void Timers_OfAnyDateOffsetAndZone_FallWhereTheDayBeginsAndEnds() => Prop.ForAll(
        (from day in Gen.Choose(0, 4_000)
         from offset in Gen.Choose(-400, 400)
         from zone in Gen.Elements("Europe/Berlin", "America/St_Johns", "Pacific/Kiritimati", "America/Santiago", "UTC")
         from yearly in Gen.Elements(true, false)
         select (day, offset, zone, yearly)).ToArbitrary(),
        input =>
        {
            var day = new DateOnly(2020, 1, 1).AddDays(input.day);
            var by = input.offset == 0 ? "" : $", {input.offset}d";
            var test = Parse($"{(input.yearly ? "anniversary" : "on_date")}(lead.traits.day{by})");
            var lead = Lead(day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), input.zone);
            var zone = TimeZoneInfo.FindSystemTimeZoneById(input.zone);
            var now = Time("2026-01-01T00:00Z");
            var subject = new SegmentSubject(lead, [], new HashSet<Guid>());
            for (var step = 0; step < 4 && subject.NextChange(test, now) is { } due; step++)
            {
                var (before, at) = (due.AddTicks(-1), subject.NextChange(test, due.AddTicks(-1)));
                var local = TimeZoneInfo.ConvertTime(due, zone);
                // A day may begin at one o'clock, where summer time begins at midnight.
                if (at != due || test.Holds(subject, now) != test.Holds(subject, before) || local.TimeOfDay > TimeSpan.FromHours(1))
                {
                    return false;
                }

                now = due;
            }

            return true;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1_000));

    [Theory]
    [InlineData("on_date(lead.traits.day, 12h)", "is no number of whole days")]
    [InlineData("on_date(lead.traits.day, -5000d)", "is no number of whole days")]
    [InlineData("on_date(lead.traits.day, 3)", "expected a number of days such as -30d")]
    [InlineData("anniversary(company.employees)", "anniversary asks for a date")]
    [InlineData("count(on_date(activity.time)) > 0", "an activity has no days")]
    [InlineData("lead.createTime within -3d", "'-3d' is neither a number nor a duration")]
    public void Parse_WrongDays_NamesTheFault(string text, string fault) =>
        Assert.Contains(fault, Condition.Parse(text, LeadFacts.SegmentCatalog).Error?.Message ?? "", StringComparison.Ordinal);

    [Fact]
    public void AffectedBy_AnotherZone_NamesSegmentsThatAskForDays()
    {
        var graph = new SegmentGraph([new(Segment, Parse("anniversary(lead.traits.day)"))]);

        Assert.Single(graph.AffectedBy(Lead("1990-01-01", "UTC"), Lead("1990-01-01", "Asia/Tokyo")));
        Assert.Single(graph.AffectedBy(Lead("1990-01-01", "UTC"), Lead("1990-01-02", "UTC")));
        Assert.Empty(graph.AffectedBy(Lead("1990-01-01", "UTC"), Lead("1990-01-01", "UTC") with { Stage = "MQL" }));
        Assert.False(Condition.Parse("on_date(lead.traits.day)", LeadFacts.Catalog).Succeeded);
    }

    /// <summary>Judges the lead at each of its timers, as the worker does.</summary>
    private static IEnumerable<(bool Entered, DateTimeOffset Time)> Walk(string condition, LeadFacts lead, DateTimeOffset from)
    {
        var graph = new SegmentGraph([new(Segment, Parse(condition))]);
        var (members, now) = (new HashSet<Guid>(), (DateTimeOffset?)from);
        for (var step = 0; step < 20 && now is { } at; step++)
        {
            var subject = new SegmentSubject(lead, [], members, TimeZoneInfo.FindSystemTimeZoneById("Asia/Tokyo"));
            var verdict = graph.Judge(subject, members, graph.Ordered, at);
            if (verdict.Entered.Count + verdict.Left.Count > 0)
            {
                yield return (verdict.Entered.Count > 0, at);
            }

            now = verdict.Timers.Count > 0 ? verdict.Timers[0].Due : null;
        }
    }

    private static Condition Parse(string text) => Condition.Parse(text, LeadFacts.SegmentCatalog).Value;

    private static LeadFacts Lead(string day, string? zone)
    {
        var traits = new Dictionary<string, string> { ["day"] = day, ["plan"] = "pro" };
        if (zone is not null)
        {
            traits.Add("timeZone", zone);
        }

        return new(
            Segment, "ada@example.com", null, "FORM", null, Time("2026-02-01T10:00Z"), "LEAD", null, "", "", "", "", 0,
            null, null, traits, null);
    }

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm'Z'", CultureInfo.InvariantCulture);
}
