using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Features.EnrollLead;

namespace Nurture.UnitTests;

public sealed class ProgramJsonTests
{
    [Fact]
    public void Path_AsJson_ComesBack()
    {
        var id = Guid.Parse("01900000-0000-7000-8000-000000000001");
        var path = new ProgramPath(
            [
                new LeadCapturedTrigger(["FORM"], TimeSpan.FromDays(3)), new StageChangedTrigger(
                    Stage.Lead, "RECYCLED", TimeSpan.FromDays(1)),
                new SegmentEnteredTrigger(id), new EventTrigger("Cart Abandoned", TimeSpan.FromHours(1)), new ManualTrigger(),
            ],
            [new SendEmailStep("a", id), new WaitStep("b", TimeSpan.FromDays(2)), new BranchStep("c", "true", "d"), new ExitStep("d")],
            [Stage.Sql],
            Stage.Mql,
            Reentry.AfterExit);

        var read = ProgramStore.Parse(ProgramStore.ToJson(path));

        Assert.Equal(path.Steps, read.Steps);
        Assert.Equal(path.EntryTriggers.Skip(1), read.EntryTriggers.Skip(1));
        Assert.Equal(["FORM"], Assert.IsType<LeadCapturedTrigger>(read.EntryTriggers[0]).CaptureTypes);
        Assert.Equal((path.GoalStage, path.Reentry, Stage.Sql), (read.GoalStage, read.Reentry, read.ExitOnStages[0]));
    }

    [Fact]
    public void Path_AsTheDatabaseGivesItBack_ComesBackToo()
    {
        // jsonb orders members by length: the type discriminator is not first any more.
        const string Json = """
            {"Steps":[{"Id":"a","action":"SEND_EMAIL","EmailId":"01900000-0000-7000-8000-000000000001"}],"Reentry":"Never","GoalStage":null,
             "EntryTriggers":[{"MaxAge":"3.00:00:00","trigger":"LEAD_CAPTURED","CaptureTypes":[]}],"ExitOnStages":[]}
            """;

        Assert.IsType<SendEmailStep>(Assert.Single(ProgramStore.Parse(Json).Steps));
    }
}
