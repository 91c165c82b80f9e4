using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Retention.Features.KeepRollups;
using Lifecycle.Retention.Features.TrackReferrals;
using Lifecycle.Retention.Storage;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Consumers;

/// <summary>Keeps name, address and first touch of every lead.</summary>
public sealed class LeadCapturedConsumer(UnitOfWork<RetentionDbContext> work) : EventConsumer<LeadCaptured, RetentionDbContext>(work)
{
    protected override async Task Handle(Transaction<RetentionDbContext> tx, LeadCaptured e)
    {
        await LeadProfiles.Keep(tx, e.LeadId, e.Version, e.CreateTime, e.Email, e.Traits, e.Company, e.FirstTouch);
        await ReferralCredits.Profile(tx, e.LeadId, e.OccurredAt, e.FirstTouch, e.LastTouch, e.Traits);
    }
}

/// <summary>Keeps the newest profile.</summary>
public sealed class LeadUpdatedConsumer(UnitOfWork<RetentionDbContext> work) : EventConsumer<LeadUpdated, RetentionDbContext>(work)
{
    protected override async Task Handle(Transaction<RetentionDbContext> tx, LeadUpdated e)
    {
        await LeadProfiles.Keep(tx, e.LeadId, e.Version, e.CreateTime, e.Email, e.Traits, e.Company, e.FirstTouch);
        await ReferralCredits.Profile(tx, e.LeadId, e.OccurredAt, e.FirstTouch, e.LastTouch, e.Traits);
    }
}

/// <summary>Takes out what names the person; customers, sums and answers stay as numbers.</summary>
public sealed class LeadErasedConsumer(UnitOfWork<RetentionDbContext> work) : EventConsumer<LeadErased, RetentionDbContext>(work)
{
    protected override async Task Handle(Transaction<RetentionDbContext> tx, LeadErased e)
    {
        var lead = await LeadProfiles.Lock(tx, e.LeadId);
        var (email, known) = (lead.Email, lead.Email is not null || lead.Name is not null);
        (lead.Erased, lead.Email, lead.Name) = (true, null, null);
        await tx.Db.SaveChangesAsync(tx.CancellationToken);
        var counts = await PersonErasure.Run(
            tx,
            [
                ("customers",
                    "update customer set display_name = 'Erased', external_id = null, churn_reason = null where workspace_id = @workspaceId and lead_id = @leadId"),
                ("contacts", "delete from customer_contact where workspace_id = @workspaceId and (lead_id = @leadId or email = @email)"),
                ("signalNames",
                    """
                    update customer_signal set name = '', external_id = null where workspace_id = @workspaceId and (name <> '' or external_id is not null)
                      and customer_id in (select id from customer where workspace_id = @workspaceId and lead_id = @leadId)
                    """),
                ("activitySignals",
                    "update customer_signal set name = '', external_id = null, lead_id = null where workspace_id = @workspaceId and lead_id = @leadId"),
                ("heldSignals", "delete from held_signal where workspace_id = @workspaceId and lead_id = @leadId"),
                ("heldBookings",
                    "update held_booking set account = null where workspace_id = @workspaceId and lead_id = @leadId and account is not null"),
                ("revenueReasons",
                    """
                    update revenue set reason = null where workspace_id = @workspaceId and reason is not null
                      and customer_id in (select id from customer where workspace_id = @workspaceId and lead_id = @leadId)
                    """),
                ("comments",
                    """
                    update survey_answer set comment = null where workspace_id = @workspaceId and comment is not null
                      and (lead_id = @leadId or customer_id in (select id from customer where workspace_id = @workspaceId and lead_id = @leadId))
                    """),
                ("referrals",
                    """
                    update referral set referred_email = null
                    where workspace_id = @workspaceId and referred_email is not null and (referred_lead_id = @leadId or referred_email = @email)
                    """),
                ("advocacy",
                    """
                    update advocacy set title = '', url = '', status = 'WITHDRAWN', consent = false, consent_withdraw_time = coalesce(consent_withdraw_time, now())
                    where workspace_id = @workspaceId and (consent or title <> '' or url <> '' or status <> 'WITHDRAWN')
                      and customer_id in (select id from customer where workspace_id = @workspaceId and lead_id = @leadId)
                    """),
                // A chosen code may be a name. Without it nothing comes over the link any more.
                ("referralLinks",
                    """
                    update referral_link set code = 'ERASED-' || id, revoke_time = coalesce(revoke_time, now())
                    where workspace_id = @workspaceId and advocate_lead_id = @leadId and code <> 'ERASED-' || id
                    """),
                ("referralClaims", "delete from referral_claim where workspace_id = @workspaceId and lead_id = @leadId"),
                ("surveyTasks",
                    """
                    update survey_task set note = '' where workspace_id = @workspaceId and note <> ''
                      and (lead_id = @leadId or customer_id in (select id from customer where workspace_id = @workspaceId and lead_id = @leadId))
                    """),
                ("loyaltyReasons",
                    """
                    update loyalty_entry set reason = '' where workspace_id = @workspaceId and reason <> ''
                      and customer_id in (select id from customer where workspace_id = @workspaceId and lead_id = @leadId)
                    """),
            ],
            new { workspaceId = tx.WorkspaceId, leadId = e.LeadId, email });
        counts["profiles"] = known ? 1 : 0;
        await PersonErasure.Confirm(tx, e, "retention", counts);
    }
}

/// <summary>Moves everything of the source to the target; two customers become one.</summary>
public sealed class LeadsMergedConsumer(UnitOfWork<RetentionDbContext> work) : EventConsumer<LeadsMerged, RetentionDbContext>(work)
{
    protected override async Task Handle(Transaction<RetentionDbContext> tx, LeadsMerged e)
    {
        var targetId = await LeadProfiles.Resolve(tx, e.TargetLeadId);
        if (targetId == e.SourceLeadId)
        {
            return;
        }

        // Rows are locked in order of their ids, so that two merges never wait for each other.
        foreach (var id in new[] { e.SourceLeadId, targetId }.Order())
        {
            await LeadProfiles.Lock(tx, id);
        }

        var source = await LeadProfiles.Lock(tx, e.SourceLeadId);
        var target = await LeadProfiles.Lock(tx, targetId);
        source.MergedInto = targetId;
        (target.Advocate, target.AdvocateTime) = (target.Advocate || source.Advocate, target.AdvocateTime ?? source.AdvocateTime);
        await tx.Db.SaveChangesAsync(tx.CancellationToken);
        var parameters = new { workspaceId = tx.WorkspaceId, sourceId = e.SourceLeadId, targetId };
        await tx.Connection.ExecuteAsync(
            """
            update survey_answer set lead_id = @targetId where workspace_id = @workspaceId and lead_id = @sourceId;
            update referral set advocate_lead_id = @targetId where workspace_id = @workspaceId and advocate_lead_id = @sourceId;
            update referral set referred_lead_id = @targetId where workspace_id = @workspaceId and referred_lead_id = @sourceId;
            update campaign_email set lead_id = @targetId where workspace_id = @workspaceId and lead_id = @sourceId;
            update held_booking set lead_id = @targetId where workspace_id = @workspaceId and lead_id = @sourceId;
            delete from customer_contact s where workspace_id = @workspaceId and lead_id = @sourceId and exists (
              select 1 from customer_contact t where t.workspace_id = @workspaceId and t.customer_id = s.customer_id and t.lead_id = @targetId);
            update customer_contact set lead_id = @targetId where workspace_id = @workspaceId and lead_id = @sourceId;
            update customer_signal set lead_id = @targetId where workspace_id = @workspaceId and lead_id = @sourceId;
            update held_signal s set lead_id = @targetId where workspace_id = @workspaceId and lead_id = @sourceId and not exists (
              select 1 from held_signal t where t.workspace_id = @workspaceId and t.lead_id = @targetId and t.activity_id = s.activity_id);
            delete from held_signal where workspace_id = @workspaceId and lead_id = @sourceId;
            update survey_invitation set lead_id = @targetId where workspace_id = @workspaceId and lead_id = @sourceId;
            update survey_task set lead_id = @targetId where workspace_id = @workspaceId and lead_id = @sourceId;
            """,
            parameters);
        await MergeCustomers(tx, e.SourceLeadId, targetId);
        await ReferralCredits.Merge(tx, e.SourceLeadId, targetId);
    }

    private static async Task MergeCustomers(Transaction<RetentionDbContext> tx, Guid sourceLeadId, Guid targetLeadId)
    {
        // Before the customers, as whoever counts months does.
        await RollupKeeper.Lock(tx, "UTC");
        var customers = await tx.Db.Customers
            .FromSql(
                $"select * from customer where workspace_id = {tx.WorkspaceId} and lead_id in ({sourceLeadId}, {targetLeadId}) order by id for update")
            .ToListAsync(tx.CancellationToken);
        var source = customers.SingleOrDefault(customer => customer.LeadId == sourceLeadId);
        var target = customers.SingleOrDefault(customer => customer.LeadId == targetLeadId);
        if (source is null)
        {
            return;
        }

        if (target is null)
        {
            source.LeadId = targetLeadId;
            return;
        }

        await tx.Connection.ExecuteAsync(
            """
            update revenue set customer_id = @targetId where workspace_id = @workspaceId and customer_id = @sourceId;
            update customer_contact set customer_id = @targetId where workspace_id = @workspaceId and customer_id = @sourceId;
            delete from customer_signal s where workspace_id = @workspaceId and customer_id = @sourceId and exists (
              select 1 from customer_signal t where t.workspace_id = @workspaceId and t.customer_id = @targetId and t.external_id = s.external_id);
            update customer_signal set customer_id = @targetId where workspace_id = @workspaceId and customer_id = @sourceId;
            delete from past_plan where workspace_id = @workspaceId and customer_id = @sourceId;
            delete from expansion_suggestion s where workspace_id = @workspaceId and customer_id = @sourceId and exists (
              select 1 from expansion_suggestion t where t.workspace_id = @workspaceId and t.customer_id = @targetId and t.rule_id = s.rule_id);
            update expansion_suggestion set customer_id = @targetId where workspace_id = @workspaceId and customer_id = @sourceId;
            update survey_answer set customer_id = @targetId
              where workspace_id = @workspaceId and customer_id = @sourceId and (not by_link or invitation_id is not null);
            delete from survey_answer where workspace_id = @workspaceId and customer_id = @sourceId and by_link and survey_id in (
              select survey_id from survey_answer
              where workspace_id = @workspaceId and customer_id = @targetId and by_link and invitation_id is null);
            update survey_task set customer_id = @targetId where workspace_id = @workspaceId and customer_id = @sourceId;
            delete from survey_invitation s where s.workspace_id = @workspaceId and s.customer_id = @sourceId and s.state <> 'INVITED' and exists (
              select 1 from survey_invitation t where t.workspace_id = @workspaceId and t.customer_id = @targetId
                and t.survey_id = s.survey_id and t.occasion = s.occasion);
            update survey_invitation s set customer_id = @targetId where s.workspace_id = @workspaceId and s.customer_id = @sourceId
              and not exists (select 1 from survey_invitation t where t.workspace_id = @workspaceId and t.customer_id = @targetId
                and t.survey_id = s.survey_id and t.occasion = s.occasion);
            update survey_invitation s set customer_id = @targetId, occasion = s.occasion || '#' || s.id
              where s.workspace_id = @workspaceId and s.customer_id = @sourceId;
            update survey_answer set customer_id = @targetId where workspace_id = @workspaceId and customer_id = @sourceId;
            update advocacy set customer_id = @targetId where workspace_id = @workspaceId and customer_id = @sourceId;
            update loyalty_entry set customer_id = @targetId where workspace_id = @workspaceId and customer_id = @sourceId;
            insert into loyalty_member (workspace_id, program_id, customer_id, balance, join_time)
              select workspace_id, program_id, @targetId, balance, join_time from loyalty_member where workspace_id = @workspaceId and customer_id = @sourceId
              on conflict (workspace_id, program_id, customer_id) do update set
                balance = loyalty_member.balance + excluded.balance, join_time = least(loyalty_member.join_time, excluded.join_time);
            delete from loyalty_member where workspace_id = @workspaceId and customer_id = @sourceId;
            """,
            new { workspaceId = tx.WorkspaceId, sourceId = source.Id, targetId = target.Id });
        target.StartTime = source.StartTime < target.StartTime ? source.StartTime : target.StartTime;
        target.RiskDueTime = tx.Now;
        tx.Db.Customers.Remove(source);
        await tx.Db.SaveChangesAsync(tx.CancellationToken);
        await RollupKeeper.TakeOut(tx, [source.Id]);
        await LedgerBatch.Replay(tx, (await LedgerBatch.Lock(tx, target.Id))!);
    }
}
