using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Storage;

/// <summary>The schema <c>retention</c>. The workspace leads every key, so that the data can be spread by it.</summary>
public sealed class RetentionDbContext(DbContextOptions<RetentionDbContext> options) : LifecycleDbContext(options, SchemaName)
{
    public const string SchemaName = "retention";

    public DbSet<CustomerRow> Customers => Set<CustomerRow>();

    public DbSet<RevenueRow> Revenue => Set<RevenueRow>();

    public DbSet<CustomerContactRow> Contacts => Set<CustomerContactRow>();

    public DbSet<CustomerSignalRow> Signals => Set<CustomerSignalRow>();

    public DbSet<SignalRuleRow> SignalRules => Set<SignalRuleRow>();

    public DbSet<HeldSignalRow> HeldSignals => Set<HeldSignalRow>();

    public DbSet<RiskModelRow> RiskModels => Set<RiskModelRow>();

    public DbSet<ExpansionRuleRow> ExpansionRules => Set<ExpansionRuleRow>();

    public DbSet<ExpansionSuggestionRow> Suggestions => Set<ExpansionSuggestionRow>();

    public DbSet<CurrencyRateRow> CurrencyRates => Set<CurrencyRateRow>();

    public DbSet<HeldBookingRow> HeldBookings => Set<HeldBookingRow>();

    public DbSet<LeadProfileRow> LeadProfiles => Set<LeadProfileRow>();

    public DbSet<SurveyRow> Surveys => Set<SurveyRow>();

    public DbSet<SurveyAnswerRow> Answers => Set<SurveyAnswerRow>();

    public DbSet<SurveyInvitationRow> Invitations => Set<SurveyInvitationRow>();

    public DbSet<SurveyThemeRow> Themes => Set<SurveyThemeRow>();

    public DbSet<SurveyTaskRow> Tasks => Set<SurveyTaskRow>();

    public DbSet<ReferralRow> Referrals => Set<ReferralRow>();

    public DbSet<ReferralLinkRow> ReferralLinks => Set<ReferralLinkRow>();

    public DbSet<ReferralSettingsRow> ReferralSettings => Set<ReferralSettingsRow>();

    public DbSet<AdvocateRuleRow> AdvocateRules => Set<AdvocateRuleRow>();

    public DbSet<AdvocacyRow> Advocacy => Set<AdvocacyRow>();

    public DbSet<LoyaltyProgramRow> LoyaltyPrograms => Set<LoyaltyProgramRow>();

    public DbSet<LoyaltyMemberRow> LoyaltyMembers => Set<LoyaltyMemberRow>();

    public DbSet<LoyaltyEntryRow> LoyaltyEntries => Set<LoyaltyEntryRow>();

    public DbSet<CampaignEmailRow> CampaignEmails => Set<CampaignEmailRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.AddImportJournal();
        modelBuilder.Entity<CustomerRow>(customer =>
        {
            customer.ToTable("customer").HasKey(row => new { row.WorkspaceId, row.Id });
            customer.HasIndex(row => new { row.WorkspaceId, row.LeadId }).IsUnique().HasFilter("lead_id is not null");
            customer.HasIndex(row => new { row.WorkspaceId, row.ExternalId }).IsUnique().HasFilter("external_id is not null");
            customer.HasIndex(row => new { row.WorkspaceId, row.StartTime, row.Id });
            // Whom the risk job takes next.
            customer.HasIndex(row => new { row.WorkspaceId, row.RiskDueTime }).HasFilter("not churned");
            // The renewals pipeline.
            customer.HasIndex(row => new { row.WorkspaceId, row.RenewalDate }).HasFilter("renewal_date is not null and not churned");
        });
        modelBuilder.Entity<RevenueRow>(revenue =>
        {
            revenue.ToTable("revenue").HasKey(row => new { row.WorkspaceId, row.Id });
            revenue.Property(row => row.Type).HasConversion<string>();
            revenue.Property(row => row.Recurrence).HasConversion<string>();
            revenue.HasIndex(row => new { row.WorkspaceId, row.CustomerId, row.OccurTime });
            revenue.HasIndex(row => new { row.WorkspaceId, row.ExternalId }).IsUnique().HasFilter("external_id is not null");
            // Sales of a period.
            revenue.HasIndex(row => new { row.WorkspaceId, row.OccurTime });
            // Losses, for the reports on them.
            revenue.HasIndex(row => new { row.WorkspaceId, row.OccurTime, row.CustomerId }).HasDatabaseName("ix_revenue_churn")
                .HasFilter("type = 'Churn'");
            revenue.HasIndex(row => new { row.WorkspaceId, row.ReversesId }).IsUnique().HasFilter("reverses_id is not null");
        });
        modelBuilder.Entity<RevenueAnnouncementRow>(
            announcement => announcement.ToTable("revenue_announcement").HasKey(row => new { row.WorkspaceId, row.Id }));
        modelBuilder.Entity<CustomerContactRow>(contact =>
        {
            contact.ToTable("customer_contact").HasKey(row => new { row.WorkspaceId, row.Id });
            contact.HasIndex(row => new { row.WorkspaceId, row.CustomerId });
            contact.HasIndex(row => new { row.WorkspaceId, row.LeadId }).HasFilter("lead_id is not null");
        });
        modelBuilder.Entity<CustomerSignalRow>(signal =>
        {
            signal.ToTable("customer_signal").HasKey(row => new { row.WorkspaceId, row.Id });
            signal.HasIndex(row => new { row.WorkspaceId, row.CustomerId, row.Time });
            signal.HasIndex(row => new { row.WorkspaceId, row.CustomerId, row.ExternalId }).IsUnique().HasFilter("external_id is not null");
            signal.HasIndex(row => new { row.WorkspaceId, row.LeadId }).HasFilter("lead_id is not null");
        });
        modelBuilder.Entity<HeldSignalRow>(signal =>
        {
            signal.ToTable("held_signal").HasKey(row => new { row.WorkspaceId, row.LeadId, row.ActivityId });
            // What is forgotten.
            signal.HasIndex(row => new { row.WorkspaceId, row.Time });
        });
        modelBuilder.Entity<SignalRuleRow>(rule => rule.ToTable("signal_rule").HasKey(row => new { row.WorkspaceId, row.EventKey }));
        modelBuilder.Entity<PastPlanRow>(
            plan => plan.ToTable("past_plan").HasKey(row => new { row.WorkspaceId, row.CustomerId, row.UntilTime }));
        modelBuilder.Entity<ChurnModelRow>(model =>
        {
            model.ToTable("churn_model").HasKey(row => new { row.WorkspaceId, row.Version });
            model.Property(row => row.Definition).HasColumnType("jsonb");
        });
        modelBuilder.Entity<RiskModelRow>(model => model.ToTable("risk_model").HasKey(row => new { row.WorkspaceId, row.Version }));
        modelBuilder.Entity<ExpansionRuleRow>(rule => rule.ToTable("expansion_rule").HasKey(row => new { row.WorkspaceId, row.Id }));
        modelBuilder.Entity<ExpansionSuggestionRow>(suggestion =>
        {
            suggestion.ToTable("expansion_suggestion").HasKey(row => new { row.WorkspaceId, row.Id });
            suggestion.Property(row => row.DismissReason).HasDefaultValue("");
            suggestion.Property(row => row.Outcome).HasDefaultValue("");
            suggestion.Property(row => row.OpportunityVersion).HasDefaultValue(0L);
            // Suggestions of a period.
            suggestion.HasIndex(row => new { row.WorkspaceId, row.CreateTime });
            suggestion.HasIndex(row => new { row.WorkspaceId, row.CustomerId, row.RuleId }).IsUnique();
            // Whose win an opportunity's is.
            suggestion.HasIndex(row => new { row.WorkspaceId, row.OpportunityId }).HasFilter("opportunity_id is not null");
        });
        modelBuilder.Entity<CurrencyRateRow>(
            rate => rate.ToTable("currency_rate").HasKey(row => new { row.WorkspaceId, row.CurrencyCode, row.Date }));
        modelBuilder.Entity<HeldBookingRow>(
            booking => booking.ToTable("held_booking").HasKey(row => new { row.WorkspaceId, row.OpportunityId }));
        modelBuilder.AddRollups();
        modelBuilder.Entity<LeadProfileRow>(lead =>
        {
            lead.ToTable("lead_profile").HasKey(row => new { row.WorkspaceId, row.LeadId });
            lead.HasIndex(row => new { row.WorkspaceId, row.Email }).HasFilter("email is not null");
            lead.Property(row => row.Stage).HasDefaultValue(0);
            lead.Property(row => row.Claimed).HasDefaultValue(false);
        });
        modelBuilder.Entity<SurveyRow>(survey =>
        {
            survey.ToTable("survey").HasKey(row => new { row.WorkspaceId, row.Id });
            survey.Property(row => row.Type).HasConversion<string>();
            survey.Property(row => row.SampleShare).HasDefaultValue(1.0);
            // 0 days are a choice, not an absence.
            survey.Property(row => row.FatigueDays).HasDefaultValue(30).HasSentinel(-1);
            survey.Property(row => row.CloseLoopHours).HasDefaultValue(48);
        });
        modelBuilder.Entity<SurveyAnswerRow>(answer =>
        {
            answer.ToTable("survey_answer").HasKey(row => new { row.WorkspaceId, row.Id });
            answer.HasIndex(row => new { row.WorkspaceId, row.SurveyId, row.AnswerTime });
            // The newest answer of a customer, for its risk.
            answer.HasIndex(row => new { row.WorkspaceId, row.CustomerId, row.AnswerTime }).HasFilter("customer_id is not null");
            answer.HasIndex(row => new { row.WorkspaceId, row.AnswerTime });
            answer.HasIndex(row => new { row.WorkspaceId, row.SurveyId, row.CustomerId }).IsUnique()
                .HasFilter("by_link and invitation_id is null");
            answer.HasIndex(row => new { row.WorkspaceId, row.InvitationId }).IsUnique().HasFilter("invitation_id is not null");
        });
        modelBuilder.Entity<ReferralRow>(referral =>
        {
            referral.ToTable("referral").HasKey(row => new { row.WorkspaceId, row.Id });
            referral.HasIndex(row => new { row.WorkspaceId, row.ReferredEmail }).IsUnique().HasFilter("referred_email is not null");
            referral.HasIndex(row => new { row.WorkspaceId, row.AdvocateLeadId });
            // The list in order of time, and those of links and advocacy below.
            referral.HasIndex(row => new { row.WorkspaceId, row.CreateTime, row.Id });
            // Who sent a lead; one referral of it at most is not declined, which its locked profile sees to.
            referral.HasIndex(row => new { row.WorkspaceId, row.ReferredLeadId }).HasFilter("referred_lead_id is not null");
            referral.HasIndex(row => new { row.WorkspaceId, row.LinkId }).HasFilter("link_id is not null");
            referral.Property(row => row.Declined).HasDefaultValue(false);
        });
        modelBuilder.Entity<ReferralLinkRow>(link =>
        {
            link.ToTable("referral_link").HasKey(row => new { row.WorkspaceId, row.Id });
            link.HasIndex(row => new { row.WorkspaceId, row.Code }).IsUnique();
            link.HasIndex(row => new { row.WorkspaceId, row.AdvocateLeadId });
            link.HasIndex(row => new { row.WorkspaceId, row.CreateTime, row.Id });
        });
        modelBuilder.Entity<ReferralClickRow>(
            click => click.ToTable("referral_click").HasKey(row => new { row.WorkspaceId, row.LinkId, row.Time }));
        modelBuilder.Entity<ReferralClaimRow>(
            claim => claim.ToTable("referral_claim").HasKey(row => new { row.WorkspaceId, row.LeadId, row.LinkId }));
        modelBuilder.Entity<ReferralSettingsRow>(settings => settings.ToTable("referral_settings").HasKey(row => row.WorkspaceId));
        modelBuilder.Entity<AdvocacyRow>(advocacy =>
        {
            advocacy.ToTable("advocacy").HasKey(row => new { row.WorkspaceId, row.Id });
            advocacy.HasIndex(row => new { row.WorkspaceId, row.CustomerId });
            advocacy.HasIndex(row => new { row.WorkspaceId, row.CreateTime, row.Id });
        });
        modelBuilder.Entity<AdvocateRuleRow>(rule => rule.ToTable("advocate_rule").HasKey(row => new { row.WorkspaceId, row.Version }));
        modelBuilder.Entity<LoyaltyProgramRow>(program =>
        {
            program.ToTable("loyalty_program").HasKey(row => new { row.WorkspaceId, row.Id });
            program.OwnsMany(row => row.Tiers, tiers => tiers.ToJson("tiers"));
        });
        modelBuilder.Entity<LoyaltyMemberRow>(member =>
        {
            member.ToTable("loyalty_member").HasKey(row => new { row.WorkspaceId, row.ProgramId, row.CustomerId });
            member.HasIndex(row => new { row.WorkspaceId, row.ProgramId, row.Balance, row.CustomerId });
        });
        modelBuilder.Entity<LoyaltyEntryRow>(entry =>
        {
            entry.ToTable("loyalty_entry").HasKey(row => new { row.WorkspaceId, row.Id });
            entry.HasIndex(row => new { row.WorkspaceId, row.ProgramId, row.CustomerId });
        });
        modelBuilder.Entity<SurveyInvitationRow>(invitation =>
        {
            invitation.ToTable("survey_invitation").HasKey(row => new { row.WorkspaceId, row.Id });
            invitation.HasIndex(row => new { row.WorkspaceId, row.SurveyId, row.CustomerId, row.Occasion }).IsUnique();
            // What is to be decided.
            invitation.HasIndex(row => new { row.WorkspaceId, row.DueTime }).HasFilter("state = 'PENDING'");
            // Whom was asked last when, for the fatigue rule.
            invitation.HasIndex(row => new { row.WorkspaceId, row.LeadId, row.InviteTime }).HasFilter("state = 'INVITED'");
            invitation.HasIndex(row => new { row.WorkspaceId, row.InviteTime }).HasFilter("state = 'INVITED'");
        });
        modelBuilder.Entity<SurveyThemeRow>(theme =>
        {
            theme.ToTable("survey_theme").HasKey(row => new { row.WorkspaceId, row.Id });
            theme.HasIndex(row => new { row.WorkspaceId, row.DisplayName }).IsUnique();
        });
        modelBuilder.Entity<SurveyTaskRow>(task =>
        {
            task.ToTable("survey_task").HasKey(row => new { row.WorkspaceId, row.Id });
            task.HasIndex(row => new { row.WorkspaceId, row.AnswerId }).IsUnique();
            task.HasIndex(row => new { row.WorkspaceId, row.DueTime, row.Id });
        });
        modelBuilder.Entity<CampaignEmailRow>(email =>
        {
            email.ToTable("campaign_email").HasKey(row => new { row.WorkspaceId, row.EmailId });
            email.HasIndex(row => new { row.WorkspaceId, row.SentTime });
            email.HasIndex(row => new { row.WorkspaceId, row.LeadId });
        });
    }
}
