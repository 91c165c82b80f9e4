using System.Text.Json;
using Lifecycle.Conversion.Domain.Crm;
using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Kernel;

namespace Lifecycle.Conversion.UnitTests.Crm;

public sealed class CrmMappingTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 10, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("", true)]
    [InlineData("/a~1b/1/c~0", true)]
    [InlineData("/a~1b/7", false)]
    [InlineData("/x", false)]
    public void Find_Pointer_FollowsRfc6901(string path, bool found)
    {
        using var document = JsonDocument.Parse("""{"a/b":[0,{"c~":"there"}]}""");

        Assert.Equal(found, JsonPointer.Find(document.RootElement, path) is not null);
        Assert.Equal("there", JsonPointer.Text(JsonPointer.Find(document.RootElement, "/a~1b/1/c~0")));
    }

    [Fact]
    public void Values_MappedRecord_AreReadByOurNames()
    {
        using var document = JsonDocument.Parse(
            """{"rows":[{"key":"D1","props":{"amount":12.50,"phase":"CLOSEDWON"},"owner":null,"changed":1773144000}]}""");
        var mapping = new CrmMapping(
            "/rows",
            new Dictionary<string, string>
            {
                ["externalId"] = "/key",
                ["amount"] = "/props/amount",
                ["stage"] = "/props/phase",
                ["changeTime"] = "/changed"
            },
            new Dictionary<string, string> { ["closedwon"] = "Won" });

        var record = Assert.Single(mapping.Records(document.RootElement).Value);
        var values = mapping.Values(record, CrmMapping.DealFields);

        Assert.Equal(("D1", "12.50", "Won", null, null),
            (values["externalId"], values["amount"], values["stage"], values["owner"], values["name"]));
        Assert.Equal(Noon, mapping.Time(record));
        Assert.False(mapping.Records(record).Succeeded);
    }

    [Fact]
    public void Check_EverythingWrong_NamesEveryFault()
    {
        var violations = new Violations();

        new CrmMapping("data", new Dictionary<string, string> { ["weather"] = "/x", ["name"] = "name" }, new Dictionary<string, string>())
            .Check("inbound", violations);

        Assert.Equal(["inbound.items", "inbound.fields", "inbound.fields"], violations.Found.Select(violation => violation.Field));
    }

    [Fact]
    public void Newer_FieldsChangedSince_AreTakenOut()
    {
        var row = new OpportunityImport(
            "D1", "New", 10, OpportunityState.Won, null, "ann", null, null, null, Noon, null, null, null, null, null, null);
        var held = new Dictionary<string, DateTimeOffset> { ["name"] = Noon, ["amount"] = Noon.AddHours(-1), ["stage"] = Noon.AddHours(1) };

        var newer = FieldTimes.Newer(row, held, Noon);

        Assert.Equal((null, 10m, OpportunityState.Open, "ann", null),
            (newer.Name, newer.Amount, newer.State, newer.Owner, newer.CloseTime));
        Assert.Equal(["amount", "owner"], FieldTimes.Given(newer));
        var stamped = FieldTimes.Stamp(held, ["amount", "stage"], Noon);
        Assert.Equal((Noon, Noon.AddHours(1)), (stamped["amount"], stamped["stage"]));
    }
}
