using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Retention.Features.AskSurveys;
using Lifecycle.Retention.Features.ScoreRisk;
using Lifecycle.Retention.Features.TrackReferrals;
using Lifecycle.Retention.Storage;

namespace Lifecycle.Retention.Consumers;

/// <summary>What people did: the occasions on which surveys ask, codes of referral links, and the signals of customers' risk.</summary>
public sealed class ActivitiesRecordedConsumer(UnitOfWork<RetentionDbContext> work)
    : EventConsumer<ActivitiesRecorded, RetentionDbContext>(work)
{
    protected override async Task Handle(Transaction<RetentionDbContext> tx, ActivitiesRecorded e)
    {
        await SurveyOccasions.FindByActivity(tx, e.Activities);
        await ReferralCredits.Activities(tx, e.Activities);
        await ActivitySignals.Record(tx, e.Activities);
    }
}
