using Lifecycle.Capture;
using Lifecycle.Capture.Storage;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.ServiceDefaults;

var builder = WebApplication.CreateSlimBuilder(args);
if (await Migrations.RunIfAsked<CaptureDbContext>(args, builder.Configuration, "capture"))
{
    return;
}

builder.AddServiceDefaults("capture");
builder.AddLifecycleDatabase<CaptureDbContext>("capture");
builder.AddLifecycleBus("capture", CaptureSetup.AddConsumers);
builder.AddLifecycleRpc();
builder.AddCapture();
var app = builder.Build();
app.MapDefaultEndpoints();
app.UseLifecycleRpc();
app.MapCapture();
app.Run();
