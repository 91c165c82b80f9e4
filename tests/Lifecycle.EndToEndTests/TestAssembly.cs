using Lifecycle.EndToEndTests;

[assembly: AssemblyFixture(typeof(Stack))]
[assembly: CollectionBehavior(DisableTestParallelization = true)]
