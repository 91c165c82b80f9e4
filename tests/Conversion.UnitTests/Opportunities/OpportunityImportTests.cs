using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Kernel;

namespace Lifecycle.Conversion.UnitTests.Opportunities;

public sealed class OpportunityImportTests
{
    private static readonly DateTimeOffset Now = new(2026, 4, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    [Fact]
    public void Parse_CrmColumns_AreMapped()
    {
        var row = Parse(
            ("opportunity_id", "1C1I7A6R"), ("sales_agent", "Ann"), ("product", "GTX Plus"), ("account", "Acme"), ("deal_stage", "Won"),
            ("engage_date", "2026-03-28"), ("close_date", "2026-03-30"), ("close_value", "1054"));

        Assert.Equal(
            ("1C1I7A6R", "Ann", "GTX Plus", "Acme"), (row.Value.ExternalId, row.Value.Owner, row.Value.Product, row.Value.Account));
        Assert.Equal((OpportunityState.Won, 1054m), (row.Value.State, row.Value.Amount));
        Assert.Equal(new DateTimeOffset(2026, 3, 27, 23, 0, 0, TimeSpan.Zero), row.Value.CreateTime);
        Assert.Equal(new DateTimeOffset(2026, 3, 29, 22, 0, 0, TimeSpan.Zero), row.Value.CloseTime);
    }

    [Fact]
    public void Parse_OpenRowWithoutDates_IsOpenAtItsStage()
    {
        var row = Parse(("externalId", "X"), ("stage", "engaging"), ("engage_date", ""));

        Assert.Equal((OpportunityState.Open, "Engaging", null), (row.Value.State, row.Value.Stage, row.Value.CreateTime));
    }

    [Fact]
    public void Parse_EverythingWrong_NamesEveryFault()
    {
        var error = Parse(
            ("sales_agent", "Ann"), ("deal_stage", "Dreaming"), ("close_value", "much"), ("engage_date", "31.03.2026"), ("currency", "EUR"),
            ("leadId", "7")).Error;

        Assert.Equal(
            ["close_value", "currency", "deal_stage", "engage_date", "externalId", "leadId"],
            error!.Violations.Select(violation => violation.Field).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("2026-03-31", "2026-03-30", "Won", "close_date")]
    [InlineData("2026-03-01", "2026-03-30", "Engaging", "deal_stage")]
    [InlineData("2026-03-01", "2026-05-01", "Lost", "close_date")]
    public void Parse_TimesThatCannotBe_AreRefused(string engaged, string closed, string stage, string field) =>
        Assert.Equal([field], Parse(("opportunity_id", "X"), ("deal_stage", stage), ("engage_date", engaged), ("close_date", closed))
            .Error!.Violations.Select(violation => violation.Field));

    [Fact]
    public void Close_BeforeOpened_IsRefused() =>
        Assert.Equal(ErrorKind.InvalidArgument, OpportunityRules.Close(OpportunityState.Open, Now, Now.AddDays(-1), Now).Error?.Kind);

    [Fact]
    public void Close_WonAlready_IsFinal() =>
        Assert.Equal(ErrorKind.FailedPrecondition, OpportunityRules.Close(OpportunityState.Won, Now, null, Now).Error?.Kind);

    [Fact]
    public void Check_FaultyPipeline_NamesEveryFault()
    {
        var violations = new Violations();
        Pipelines.Check([new("A", 0.5m), new("a", 1.5m), new("Won", 1), new("", 0)], "stages", violations);

        Assert.Equal(
            ["stages[1].name", "stages[1].probability", "stages[2].name", "stages[3].name"],
            violations.Found.Select(violation => violation.Field));
    }

    private static Result<OpportunityImport> Parse(params (string Column, string? Value)[] cells) =>
        OpportunityImport.Parse(cells.ToDictionary(cell => cell.Column, cell => cell.Value), Pipelines.Default, "USD", Berlin, Now);
}
