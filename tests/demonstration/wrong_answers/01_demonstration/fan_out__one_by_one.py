# fails: calls in flight at the peak
async def ask_all(model, prompts, most):
    return [await model(prompt) for prompt in prompts]
