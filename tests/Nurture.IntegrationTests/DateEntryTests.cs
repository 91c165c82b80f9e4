using System.Globalization;
using System.Text.Json.Nodes;
using Lifecycle.Contracts;
using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>Programs that time begins: birthdays, ends of contracts, silence, and carts that nobody pays.</summary>
public sealed class DateEntryTests(NurtureFixture fixture)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task BirthdayAndEndOfContract_EnterOnTheirDayInTheLeadsZone()
    {
        var workspace = await fixture.NewWorkspace();
        var birthday = await Program(workspace, "anniversary(lead.traits.birthday)");
        var renewal = await Program(workspace, "on_date(lead.traits.contractEnd, -30d)");
        // Where it is about noon now, so that no midnight comes between.
        var (zone, today) = TestWorkspace.Noon();
        var (born, other, ends, renewed, far) =
            (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        await workspace.Publish(Captured(workspace, born, 1, ("timeZone", zone), ("birthday", Text(today.AddYears(-36)))));
        await workspace.Publish(Captured(workspace, other, 1, ("timeZone", zone), ("birthday", Text(today.AddYears(-36).AddDays(-2)))));
        await workspace.Publish(Captured(workspace, ends, 1, ("timeZone", zone), ("contractEnd", Text(today.AddDays(30)))));
        await workspace.Publish(Captured(workspace, renewed, 1, ("timeZone", zone), ("contractEnd", Text(today.AddDays(90)))));
        // 30 days before 31 March 2031 is 1 March, which begins in New York at five o'clock UTC.
        await workspace.Publish(Captured(workspace, far, 1, ("timeZone", "America/New_York"), ("contractEnd", "2031-03-31")));

        await Eventually.Equal(born.ToString(), () => Enrolled(workspace, birthday.Program), "the birthday enters", Deadline);
        await Eventually.Equal(
            ends.ToString(), () => Enrolled(workspace, renewal.Program), "the contract that ends in 30 days enters", Deadline);
        await Eventually.Equal(
            "2031-03-01T05:00:00Z", () => Timer(workspace, renewal.Segment, far), "the day is known beforehand", Deadline);
        // The contract is renewed, and now ends earlier; the other's day comes no more before its new end.
        await workspace.Publish(Captured(workspace, renewed, 2, ("timeZone", zone), ("contractEnd", Text(today.AddDays(30)))));
        await workspace.Publish(Captured(workspace, far, 2, ("timeZone", "Asia/Tokyo"), ("contractEnd", "2030-03-31")));
        await Eventually.Equal(
            string.Join(' ', new[] { ends, renewed }.Select(id => id.ToString()).Order()), () => Enrolled(workspace, renewal.Program),
            "by its new date", Deadline);
        await Eventually.Equal(
            "2030-02-28T15:00:00Z", () => Timer(workspace, renewal.Segment, far), "the timer follows date and zone", Deadline);
        Assert.Equal(born.ToString(), await Enrolled(workspace, birthday.Program));
    }

    [Fact]
    public async Task Silence_EntersWhenItIsLongEnoughAndAgainAfterTheNextOne()
    {
        var workspace = await fixture.NewWorkspace();
        var (segment, program) = await Program(workspace, "inactive(30d)");
        var (silent, busy) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var (now, active) = (TestWorkspace.Now, TestWorkspace.Now.AddDays(-10));
        await workspace.Publish(workspace.Did(busy, "PAGE", "Page", active));
        // Thirty days of silence are over a moment from now.
        await workspace.Publish(workspace.Did(silent, "PAGE", "Page", now.AddDays(-30).AddSeconds(5)));
        // The profiles come last: a lead of which nothing else is known would have been silent ever since.
        await Eventually.Equal(
            2L, () => fixture.Database.Scalar<long>("select count(*) from activity where workspace_id = $1", workspace.Id),
            "both acted", Deadline);
        foreach (var lead in new[] { silent, busy })
        {
            await workspace.Publish(workspace.Captured(lead, $"{lead:N}@example.com", now.AddDays(-60)));
        }

        await Eventually.Equal(1, () => Count(workspace, program, silent), "the silent one enters", Deadline);
        await Eventually.Equal(Text(active.AddDays(30)), () => Timer(workspace, segment, busy), "the other would in twenty days", Deadline);
        await workspace.Publish(workspace.Did(silent, "PAGE", "Page", TestWorkspace.Now));
        await Eventually.Equal("", () => Members(workspace, segment), "it is back", Deadline);
        // A lead enters again only when its last enrollment has ended.
        await Eventually.Equal(
            "COMPLETED",
            () => fixture.Database.Scalar<string>(
                "select state from enrollment where workspace_id = $1 and program_id = $2 and lead_id = $3",
                workspace.Id, Guid.Parse(program), silent),
            "its first enrollment ends", Deadline);
        // Thirty-one days pass.
        await fixture.Database.Query(
            "update activity set time = time - interval '31 days' where workspace_id = $1 and lead_id = $2", workspace.Id, silent);
        await fixture.Database.Query(
            "update segment_timer set due_time = now() where workspace_id = $1 and lead_id = $2", workspace.Id, silent);
        await Eventually.Equal(2, () => Count(workspace, program, silent), "and silent for another thirty days", Deadline);
        Assert.Equal(silent.ToString(), await Members(workspace, segment));
    }

    [Fact]
    public async Task Cart_OfTheManual_RemindsOfWhatNobodyPaid()
    {
        var workspace = await fixture.NewWorkspace();
        var manual = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "nurture.md"));
        var json = manual[manual.IndexOf("### Abandoned carts", StringComparison.Ordinal)..].Split("```json\n")[1].Split("```")[0]
            .Replace("<REMINDER>", await workspace.NewEmail("Your cart"), StringComparison.Ordinal);
        var program = await workspace.NewProgram(json);
        var (lead, address) = (Guid.CreateVersion7(), $"cart.{Guid.CreateVersion7():N}@example.com");
        await workspace.Publish(workspace.Captured(lead, address));
        await Add("c1");
        await Add("c1");
        await Add("c2");
        await Eventually.Equal("c1@watch c2@watch", () => Carts(workspace, program), "each cart is watched once", Deadline);
        var hour = await fixture.Database.Scalar<bool>(
            "select bool_and(due_time = step_time + interval '1 hour') from enrollment where program_id = $1", Guid.Parse(program));
        Assert.True(hour);

        await workspace.Publish(workspace.Did(lead, "TRACK", "Order Completed", TestWorkspace.Now, """{"cart_id":"c2"}"""));
        await Eventually.Equal("c1@watch c2@", () => Carts(workspace, program), "the order ends its own cart's watch", Deadline);
        Assert.Empty(fixture.Mails.To(address));
        await fixture.Database.Query(
            "update enrollment set due_time = now() where program_id = $1 and state = 'ACTIVE'", Guid.Parse(program));

        await Eventually.Equal("c1@ c2@", () => Carts(workspace, program), "the hour is over", Deadline);
        await Eventually.Equal(
            "Your cart",
            () => Task.FromResult(string.Join(' ', fixture.Mails.To(address).Select(mail => mail.Subject))), "one mail", Deadline);

        Task Add(string cart) =>
            workspace.Publish(workspace.Did(lead, "TRACK", "Product Added", TestWorkspace.Now, $$"""{"cart_id":"{{cart}}"}"""));
    }

    private static async Task<(string Segment, string Program)> Program(TestWorkspace workspace, string condition)
    {
        var segment = (await workspace.Post(
            "/v1/segments", new JsonObject { ["displayName"] = condition, ["condition"] = condition }.ToJsonString()))["id"]!
            .GetValue<string>();
        return (segment, await workspace.NewProgram($$$"""
            {"displayName":"On the day","entryTriggers":[{"segmentEntered":{"segmentId":"{{{segment}}}"}}],"reentry":"AFTER_EXIT","steps":[{"id":"end","exit":{}}]}
            """));
    }

    private static LeadCaptured Captured(TestWorkspace workspace, Guid lead, long version, params (string Name, string Value)[] traits) =>
        workspace.Captured(lead, $"{lead:N}@example.com", version: version) with
        {
            Traits = traits.ToDictionary(trait => trait.Name, trait => trait.Value)
        };

    private static async Task<string> Enrolled(TestWorkspace workspace, string program) => string.Join(
        ' ', (await workspace.Get($"/v1/programs/{program}/enrollments"))["enrollments"]!.AsArray()
            .Select(item => item!["leadId"]!.GetValue<string>()).Order());

    private static async Task<string> Members(TestWorkspace workspace, string segment) => string.Join(
        ' ', (await workspace.Get($"/v1/segments/{segment}/members"))["members"]!.AsArray()
            .Select(item => item!["leadId"]!.GetValue<string>()));

    private static async Task<string> Carts(TestWorkspace workspace, string program) => string.Join(
        ' ',
        (await workspace.Get($"/v1/programs/{program}/enrollments"))["enrollments"]!.AsArray()
            .Select(item => $"{item!["key"]}@{item["stepId"]}").Order());

    private async Task<int> Count(TestWorkspace workspace, string program, Guid lead) => (int)await fixture.Database.Scalar<long>(
        "select count(*) from enrollment where workspace_id = $1 and program_id = $2 and lead_id = $3", workspace.Id,
        Guid.Parse(program), lead);

    private async Task<string> Timer(TestWorkspace workspace, string segment, Guid lead) => Text(
        await fixture.Database.Scalar<DateTime?>(
            "select max(due_time) from segment_timer where workspace_id = $1 and segment_id = $2 and lead_id = $3", workspace.Id,
            Guid.Parse(segment), lead));

    private static string Text(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string Text(DateTimeOffset? time) =>
        time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "";
}
