namespace Lifecycle.Nurture.Domain.Emails;

/// <summary>What another service gave for a mail that it asked for.</summary>
/// <param name="Subject">Handlebars; used where no template is named.</param>
/// <param name="Html">Handlebars; used where no template is named.</param>
/// <param name="Values">Values beside the lead's, by group and name: <c>survey</c> → <c>url</c> is <c>{{survey.url}}</c>.</param>
public sealed record RequestedContent(
    string Subject, string Html, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Values);
