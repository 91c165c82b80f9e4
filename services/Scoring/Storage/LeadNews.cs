namespace Lifecycle.Scoring.Storage;

/// <summary>Activities of a lead that were recorded just now.</summary>
/// <param name="From">Time of the first of them, or before.</param>
/// <param name="Count">How many.</param>
public readonly record struct LeadNews(DateTimeOffset From, int Count);
