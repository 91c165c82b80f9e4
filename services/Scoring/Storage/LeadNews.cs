using Lifecycle.Scoring.Domain;

namespace Lifecycle.Scoring.Storage;

/// <summary>Activities of a lead that were recorded just now.</summary>
/// <param name="From">Time of the first of them, or before.</param>
/// <param name="Until">Time of the last of them, or after.</param>
/// <param name="Added">The new ones, in order, as they are stored.</param>
/// <param name="Progress">How far the lead was; null: not known.</param>
public sealed record LeadNews(DateTimeOffset From, DateTimeOffset Until, List<Activity> Added, ScoreProgress? Progress);
