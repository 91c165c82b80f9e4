using Lifecycle.Testing;

namespace Nurture.IntegrationTests;

/// <summary>Segments that count mails hear of what is reported of a mail later.</summary>
public sealed class FeedbackSegmentTests(NurtureFixture fixture)
{
    [Theory]
    [InlineData("HARD_BOUNCE", "BOUNCE")]
    [InlineData("SOFT_BOUNCE", "BOUNCE")]
    [InlineData("COMPLAINT", "COMPLAINT")]
    [InlineData("REPLY", "REPLY")]
    public async Task ReportMailFeedback_OfAMailThatASegmentCounts_BringsTheLeadIn(string told, string counted)
    {
        var workspace = await fixture.NewWorkspace();
        var lead = Guid.CreateVersion7();
        var address = $"{lead:N}@example.org";
        var segment = (await workspace.Post(
            "/v1/segments",
            $$"""{"displayName":"Told","condition":"count(email.kind = '{{counted}}', 7d) >= 1"}"""))["id"]!.GetValue<string>();
        await workspace.NewWelcome();
        await workspace.Publish(workspace.Captured(lead, address));
        await Eventually.Equal(1, () => Task.FromResult(fixture.Mails.To(address).Count), "the mail");
        await Eventually.True(
            async () => (await workspace.LeadEmails(lead)).All(mail => mail!["state"]!.GetValue<string>() == "SENT"),
            "it is marked as sent");
        await Eventually.True(
            async () => (await workspace.Get($"/v1/segments/{segment}"))["evaluated"]!.GetValue<bool>(), "the segment is judged");
        Assert.Equal("", await Members(workspace, segment));

        await workspace.Post(
            "/v1/mailFeedback", $$"""{"events":[{"kind":"{{told}}","messageId":"{{fixture.Mails.To(address)[0].MessageId}}"}]}""");

        await Eventually.Equal(lead.ToString(), () => Members(workspace, segment), "the lead is in");
    }

    private static async Task<string> Members(TestWorkspace workspace, string segment) => string.Join(
        ',', (await workspace.Get($"/v1/segments/{segment}/members"))["members"]!.AsArray()
            .Select(member => member!["leadId"]!.GetValue<string>()));
}
