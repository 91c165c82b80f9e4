using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Features.RenderEmail;
using Lifecycle.Nurture.Storage;

namespace Nurture.UnitTests;

public sealed class TemplateSyntaxTests
{
    [Theory]
    [InlineData("Hi {{lead.firstName}}", "lead.firstName")]
    [InlineData("{{#with company}}{{name}} {{../lead.email}}{{/with}}", "company company.name lead.email")]
    [InlineData("{{#if lead.title}}{{lead.title}}{{else}}{{company.name}}{{/if}}", "(lead.title) company.name")]
    [InlineData("{{#if lead.title}}{{lead.title}}{{/if}} {{lead.title}}", "lead.title")]
    [InlineData("{{#unless lead.plan}}free{{else if lead.seats}}{{lead.seats}}{{/unless}}", "(lead.plan) (lead.seats)")]
    [InlineData("{{#each lead.traits}}{{@key}}={{this}} {{name}}{{/each}}", "lead.traits")]
    [InlineData("{{~ lead.plan ~}} {{! a comment }} {{!-- another --}} {{lookup lead \"plan\"}}", "lead.plan lead")]
    [InlineData("{{{lead.html}}} {{&lead.more}} {{lead.traits.[plan]}}", "lead.html lead.more lead.traits.plan")]
    [InlineData("no tags", "")]
    public void Read_SoundTemplate_NamesItsFields(string template, string expected)
    {
        var syntax = TemplateSyntax.Read(template);

        Assert.Null(syntax.Fault);
        Assert.Equal(expected, string.Join(' ', syntax.Fields.Select(field => field.IsGuarded ? $"({field.Path})" : field.Path)));
    }

    [Theory]
    [InlineData("{{> x}}")]
    [InlineData("{{~> x}}")]
    [InlineData("{{#> layout}}x{{/layout}}")]
    [InlineData("{{#*inline \"a\"}}{{> a}}{{/inline}}{{> a}}")]
    [InlineData("{{{{raw}}}}{{/raw}}")]
    [InlineData("{{#lead.traits}}x{{/lead.traits}}")]
    [InlineData("{{log lead}}")]
    [InlineData("{{shout lead.email}}")]
    [InlineData("{{lookup (lookup lead \"a\") \"b\"}}")]
    [InlineData("{{#if a}}")]
    [InlineData("{{/if}}")]
    [InlineData("{{#if a}}{{/each}}")]
    [InlineData("{{else}}")]
    [InlineData("{{}}")]
    [InlineData("{{lead.[first name]}}")]
    [InlineData("{{lead.email")]
    [InlineData("\\{{#each lead}}")]
    [InlineData("{{!-- {{/each}} --}}")]
    [InlineData("{{lookup lead \"}}\"}}")]
    [InlineData("{{#each a}}{{#each b}}{{#each c}}{{/each}}{{/each}}{{/each}}")]
    public void Read_WhatCouldRunAwayOrDoesNotParse_IsAFault(string template) => Assert.NotNull(TemplateSyntax.Read(template).Fault);

    [Fact]
    public void Read_Nesting_IsBounded()
    {
        Assert.Null(TemplateSyntax.Read(Nested(TemplateSyntax.MaxDepth)).Fault);
        Assert.NotNull(TemplateSyntax.Read(Nested(TemplateSyntax.MaxDepth + 1)).Fault);
        Assert.NotNull(TemplateSyntax.Read(string.Concat(Enumerable.Repeat("{{a}}", TemplateSyntax.MaxTags + 1))).Fault);

        static string Nested(int depth) =>
            string.Concat(Enumerable.Repeat("{{#if a}}", depth)) + string.Concat(Enumerable.Repeat("{{/if}}", depth));
    }

    [Fact]
    public void Render_LoopThatWritesWithoutEnd_EndsInAnError()
    {
        using var renderer = new MailRenderer();
        var traits = Enumerable.Range(0, 2000).ToDictionary(index => $"t{index}", _ => "v");
        var lead = new Lifecycle.Nurture.Domain.Segments.LeadFacts(
            Guid.Empty, "ada@example.com", null, null, null, null, null, null, "", "", "", "", null, null, null, traits, null);

        var result = renderer.Render(
            Email("{{#each lead.traits}}{{#each ../lead.traits}}0123456789{{/each}}{{/each}}"), lead, "https://x.example/u");

        Assert.Contains("more than 1000000 characters", result.Error?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Render_HostileValue_IsEscapedInHtmlAndPlainInTheSubject()
    {
        using var renderer = new MailRenderer();
        var lead = new Lifecycle.Nurture.Domain.Segments.LeadFacts(
            Guid.Empty, "ada@example.com", null, null, null, null, null, null, "", "", "", "", null, null, null,
            new Dictionary<string, string> { ["firstName"] = "<b>&\"'{{lead.email}}" }, null);

        var mail = renderer.Render(Email("<p>{{lead.firstName}}</p>"), lead, "https://x.example/u").Value;

        Assert.StartsWith("<p>&lt;b&gt;&amp;&quot;", mail.Html, StringComparison.Ordinal);
        Assert.Contains("{{lead.email}}", mail.Html, StringComparison.Ordinal);
        Assert.Equal("Hi <b>&\"'{{lead.email}}", mail.Subject);
    }

    [Theory]
    [InlineData(1, 0, 7.5)]
    [InlineData(1, 0.5, 11.25)]
    [InlineData(3, 0.5, 45)]
    [InlineData(60, 0, 1800)]
    public void RetryDelay_GrowsToItsLimitAndIsSpread(int attempt, double chance, double seconds) => Assert.Equal(
        TimeSpan.FromSeconds(seconds), RetryDelay.After(attempt, TimeSpan.FromSeconds(15), TimeSpan.FromHours(1), chance));

    private static EmailRow Email(string html) => new()
    {
        WorkspaceId = Guid.Empty,
        Id = Guid.CreateVersion7(),
        DisplayName = "",
        Subject = "Hi {{lead.firstName}}",
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
