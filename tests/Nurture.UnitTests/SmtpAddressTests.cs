using Lifecycle.Kernel.Expressions;
using Lifecycle.Nurture.Domain.Engagements;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Nurture.Features.RenderEmail;
using Lifecycle.Nurture.Mail;
using Lifecycle.Nurture.Storage;

namespace Nurture.UnitTests;

public sealed class SmtpAddressTests
{
    [Fact]
    public void Parse_Addresses()
    {
        Assert.Equal(new SmtpAddress("localhost", 1025, false, null, null), SmtpAddress.Parse("smtp://localhost:1025").Value);
        Assert.Equal(new SmtpAddress("mail.example", 465, true, "ada", "p@ss"), SmtpAddress.Parse("smtps://ada:p%40ss@mail.example").Value);
        Assert.False(SmtpAddress.Parse("http://localhost:1025").Succeeded);
        Assert.False(SmtpAddress.Parse(null).Succeeded);
    }
}

public sealed class MailRendererTests
{
    private static readonly LeadFacts Lead = new(
        Guid.Empty, "ada@example.com", null, "FORM", "demo", null, "LEAD", null, "Paid Search", "google", "cpc",
        "spring", 42.5m, "A", "HOT", new Dictionary<string, string> { ["firstName"] = "Ada <b>", ["title"] = "VP" },
        new("R&D Ltd", null, null, 250, null, null));

    [Fact]
    public void Render_Values_AreEscapedInHtmlOnlyAndUnknownOnesAreEmpty()
    {
        using var renderer = new MailRenderer();

        var mail = renderer.Render(
            Template(
                "Hi {{lead.firstName}}",
                "<p>{{lead.firstName}} at {{company.name}}: {{lead.traits.title}}{{lead.nothing}}{{company.domain}} {{company.employees}}</p>{{unsubscribeUrl}}"),
            Lead,
            "https://x/u").Value;

        Assert.Equal("Hi Ada <b>", mail.Subject);
        Assert.Equal("<p>Ada &lt;b&gt; at R&amp;D Ltd: VP 250</p>https://x/u", mail.Html);
        Assert.Equal("Ada <b> at R&D Ltd: VP 250\n\nhttps://x/u\n", mail.Text);
    }

    [Fact]
    public void Fault_TemplateThatDoesNotParse_SaysWhere()
    {
        using var renderer = new MailRenderer();

        Assert.Null(renderer.Fault("{{#if lead.email}}x{{/if}}"));
        Assert.NotNull(renderer.Fault("{{#if lead.email}}x"));
    }

    [Theory]
    [InlineData("company.employees >= 250 and lead.stage = \"LEAD\"", true)]
    [InlineData("lead.channel = \"Paid Search\" and lead.campaign = \"spring\" and score.total > 42", true)]
    [InlineData("lead.title contains \"vp\" and not (lead.traits.title = \"CEO\")", true)]
    [InlineData("company.industry = \"Software\"", false)]
    public void Condition_OverALead(string condition, bool holds) =>
        Assert.Equal(holds, Condition.Parse(condition, LeadFacts.Catalog).Value.Holds(Lead, DateTimeOffset.UnixEpoch));

    [Theory]
    [InlineData("TRACK", "Email Opened", true)]
    [InlineData("TRACK", "Email Sent", false)]
    [InlineData("PAGE", "Pricing", true)]
    [InlineData("IDENTIFY", "", false)]
    public void IsEngagement_Activities(string type, string name, bool expected) =>
        Assert.Equal(expected, ExternalEmail.IsEngagement(type, name));

    private static EmailRow Template(string subject, string html) => new()
    {
        WorkspaceId = Guid.Empty,
        Id = Guid.Empty,
        DisplayName = "Welcome",
        Subject = subject,
        Html = html,
        Text = "",
        FromName = "",
        FromAddress = "",
        ReplyTo = "",
        Version = 1,
        CreateTime = default,
        UpdateTime = default,
    };
}
