using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Lifecycle.Conversion.Domain.Opportunities;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Features.ManagePipelines;

/// <summary>Makes, changes and removes pipelines. A workspace always has exactly one default pipeline.</summary>
public sealed class ManagePipelines(UnitOfWork<ConversionDbContext> work)
{
    public async Task<Result<Pipeline>> Create(CreatePipelineRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        violations.RequireText(request.DisplayName, "displayName");
        var steps = Steps(request.Stages);
        Pipelines.Check(steps, "stages", violations);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        return await work.RunIdempotent<Pipeline>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            var present = await OpportunityBook.DefaultPipeline(tx);
            if (request.IsDefault)
            {
                present.IsDefault = false;
                await tx.Db.SaveChangesAsync(ct);
            }

            var row = new PipelineRow
            {
                WorkspaceId = tx.WorkspaceId,
                Id = tx.NewId(),
                DisplayName = request.DisplayName.Trim(),
                Stages = JsonSerializer.Serialize(steps, JsonSerializerOptions.Web),
                IsDefault = request.IsDefault,
                CreateTime = tx.Now,
            };
            tx.Db.Pipelines.Add(row);
            return row.ToProto();
        }, ct);
    }

    public async Task<Result<Pipeline>> Update(UpdatePipelineRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        _ = !request.HasDisplayName || violations.RequireText(request.DisplayName, "displayName");
        var steps = Steps(request.Stages);
        if (steps.Count > 0)
        {
            Pipelines.Check(steps, "stages", violations);
        }

        violations.Require(
            request is not { HasIsDefault: true, IsDefault: false }, "isDefault", "Make another pipeline the default instead.");
        if (violations.ToError() is { } error)
        {
            return error;
        }

        return await work.RunIdempotent<Pipeline>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            var rows = await tx.Db.Pipelines.FromSql(
                $"select * from pipeline where workspace_id = {tx.WorkspaceId} order by id for update").ToListAsync(ct);
            if (rows.SingleOrDefault(row => row.Id == id) is not { } pipeline)
            {
                return Error.NotFound("Pipeline", id);
            }

            pipeline.DisplayName = request.HasDisplayName ? request.DisplayName.Trim() : pipeline.DisplayName;
            if (steps.Count > 0)
            {
                var used = await tx.Db.Opportunities.Where(row => row.PipelineId == id && row.State == OpportunityState.Open)
                    .Select(row => row.Stage).Distinct().ToListAsync(ct);
                if (used.FirstOrDefault(stage => steps.All(step => step.Name != stage)) is { } missing)
                {
                    return Error.Precondition($"Open opportunities stand at {missing}; advance them first.");
                }

                pipeline.Stages = JsonSerializer.Serialize(steps, JsonSerializerOptions.Web);
            }

            if (request is { HasIsDefault: true, IsDefault: true } && !pipeline.IsDefault)
            {
                foreach (var other in rows.Where(row => row.IsDefault))
                {
                    other.IsDefault = false;
                }

                // Saved by itself: two rows swap places in a unique index.
                await tx.Db.SaveChangesAsync(ct);
                pipeline.IsDefault = true;
            }

            return pipeline.ToProto();
        }, ct);
    }

    public async Task<Result<Empty>> Delete(DeletePipelineRequest request, Caller caller, string method, CancellationToken ct)
    {
        var violations = new Violations();
        if (!violations.RequireId(request.Id, "id", out var id))
        {
            return violations.ToError()!;
        }

        return await work.RunIdempotent<Empty>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            var pipeline = await tx.Db.Pipelines.SingleOrDefaultAsync(row => row.Id == id, ct);
            if (pipeline is null)
            {
                return Error.NotFound("Pipeline", id);
            }

            if (pipeline.IsDefault)
            {
                return Error.Precondition("The default pipeline cannot be removed; make another the default first.");
            }

            if (await tx.Db.Opportunities.AnyAsync(row => row.PipelineId == id, ct))
            {
                return Error.Precondition("Opportunities use the pipeline.");
            }

            tx.Db.Pipelines.Remove(pipeline);
            return new Empty();
        }, ct);
    }

    private static List<PipelineStep> Steps(IEnumerable<PipelineStage> stages) => stages
        .Select(stage => new PipelineStep(
            stage.Name.Trim(), double.IsFinite(stage.Probability) ? (decimal)Math.Clamp(stage.Probability, -1, 2) : -1,
            stage.RequiredFields.Count > 0 ? [.. stage.RequiredFields.Distinct()] : null))
        .ToList();
}

/// <summary>Pipelines as messages.</summary>
public static class PipelineMessages
{
    public static Pipeline ToProto(this PipelineRow row) => new()
    {
        Id = row.Id.ToString(),
        DisplayName = row.DisplayName,
        IsDefault = row.IsDefault,
        CreateTime = row.CreateTime.ToProto(),
        Stages =
        {
            row.Steps().Select(step => new PipelineStage
            {
                Name = step.Name,
                Probability = (double)step.Probability,
                RequiredFields = { step.RequiredFields ?? [] },
            }),
        },
    };
}
