using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Retention.Features.AskSurveys;
using Lifecycle.Retention.Storage;

namespace Lifecycle.Retention.Consumers;

/// <summary>What people did: the occasions on which surveys ask.</summary>
public sealed class ActivitiesRecordedConsumer(UnitOfWork<RetentionDbContext> work) : EventConsumer<ActivitiesRecorded, RetentionDbContext>(work)
{
    protected override Task Handle(Transaction<RetentionDbContext> tx, ActivitiesRecorded e) => SurveyOccasions.FindByActivity(tx, e.Activities);
}
