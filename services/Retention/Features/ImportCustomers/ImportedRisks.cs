using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Features.LearnChurn;
using Lifecycle.Retention.Features.ScoreRisk;
using Lifecycle.Retention.Storage;

namespace Lifecycle.Retention.Features.ImportCustomers;

/// <summary>
/// Risk of customers as they are made: of one without a lead nothing can be told yet but its renewal date. Where that gives no points the
/// score is known to be 0 and need not be worked out afterwards, a million times for a large file.
/// </summary>
internal sealed class ImportedRisks
{
    private readonly RiskModel? model;
    private readonly DateOnly today;
    private readonly Dictionary<DateOnly, bool> known = [];

    private ImportedRisks(RiskModel? model, DateOnly today) => (this.model, this.today) = (model, today);

    /// <summary>Reads the model in force. Where a churn model is in force too, every customer is left to the job that asks it.</summary>
    public static async Task<ImportedRisks> Begin(Transaction<RetentionDbContext> tx) => new(
        await ChurnModels.Find(tx, 0) is null ? (await RiskModels.InForce(tx)).Model : null, DateOnly.FromDateTime(tx.Now.UtcDateTime));

    /// <summary>Whether the score of a new customer is 0.</summary>
    public bool IsKnown(Guid? leadId, DateOnly? renewalDate)
    {
        if (model is null || leadId is not null)
        {
            return false;
        }

        if (renewalDate is not { } renewal)
        {
            return true;
        }

        if (!known.TryGetValue(renewal, out var isKnown))
        {
            isKnown = RiskModel.Score(model.Explain(new(0, 0, 0, null, 0, 0, 0, 0, renewal.DayNumber - today.DayNumber))) == 0;
            known.Add(renewal, isKnown);
        }

        return isKnown;
    }
}
